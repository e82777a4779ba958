//! A JSON object written member by member, in the order of the calls.

use habitus_model::Text;

/// An object that is open until it is dropped.
pub(super) struct Object<'o> {
    out: &'o mut Vec<u8>,
    is_empty: bool,
}

impl<'o> Object<'o> {
    /// Writes the opening brace; the closing one follows on drop.
    pub(super) fn open(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, is_empty: true }
    }

    /// Goes on with an object that was closed and has members.
    pub(super) fn reopen(out: &'o mut Vec<u8>) -> Self {
        out.pop();
        Self { out, is_empty: false }
    }

    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        quote(self.out, value);
    }

    pub(super) fn text_if(&mut self, key: &str, value: Option<&Text>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    pub(super) fn int(&mut self, key: &str, value: i64) {
        self.key(key);
        self.out.extend_from_slice(value.to_string().as_bytes());
    }

    pub(super) fn id(&mut self, key: &str, value: u32) {
        self.int(key, i64::from(value));
    }

    /// An enumeration: its id and, beside it, the caption (STANDARDS: every `x_id` has a sibling `x`).
    pub(super) fn choice(&mut self, key: &str, id: u32, caption: &str) {
        self.id(&format!("{key}_id"), id);
        self.text(key, caption);
    }

    pub(super) fn float(&mut self, key: &str, value: f64) {
        self.key(key);
        // Writing to memory cannot fail, and a number that is not finite becomes null.
        let _ = serde_json::to_writer(&mut *self.out, &value);
    }

    pub(super) fn flag_if(&mut self, key: &str, value: Option<bool>) {
        if let Some(value) = value {
            self.key(key);
            let word: &[u8] = if value { b"true" } else { b"false" };
            self.out.extend_from_slice(word);
        }
    }

    /// Opens a nested object.
    pub(super) fn object(&mut self, key: &str) -> Object<'_> {
        self.key(key);
        Object::open(self.out)
    }

    /// An array of strings.
    pub(super) fn texts<S: AsRef<str>>(&mut self, key: &str, values: impl IntoIterator<Item = S>) {
        self.key(key);
        self.out.push(b'[');
        for (at, value) in values.into_iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            quote(self.out, value.as_ref());
        }
        self.out.push(b']');
    }

    /// An array of objects, each filled by `fill`.
    pub(super) fn objects<T>(&mut self, key: &str, items: &[T], fill: impl Fn(&mut Object<'_>, &T)) {
        self.key(key);
        self.out.push(b'[');
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            fill(&mut Object::open(self.out), item);
        }
        self.out.push(b']');
    }

    /// A member whose value is JSON already.
    pub(super) fn json(&mut self, key: &str, value: &[u8]) {
        self.key(key);
        self.out.extend_from_slice(value);
    }

    /// The members of another object, given as JSON text.
    pub(super) fn members_of(&mut self, object: &str) {
        let inner = object
            .trim()
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'))
            .map(str::trim);
        if let Some(inner) = inner.filter(|inner| !inner.is_empty()) {
            self.comma();
            self.out.extend_from_slice(inner.as_bytes());
        }
    }

    fn key(&mut self, key: &str) {
        self.comma();
        quote(self.out, key);
        self.out.push(b':');
    }

    fn comma(&mut self) {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
    }
}

impl Drop for Object<'_> {
    fn drop(&mut self) {
        self.out.push(b'}');
    }
}

fn quote(out: &mut Vec<u8>, text: &str) {
    // Writing to memory cannot fail.
    let _ = serde_json::to_writer(out, text);
}
