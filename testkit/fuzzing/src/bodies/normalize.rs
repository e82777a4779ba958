//! Records to events, by a named format or by recognition.

use habitus_model::{Event, EventTime, Rejection};
use habitus_normalize::{FormatChoice, Normalizer, Options, ocsf_out};

/// Longest reason of a rejection, bytes: a reason names fields, it does not repeat the record.
const REASON_BYTES_MAX: usize = 1024;

/// One record of the named format.
pub fn format(name: &str, bytes: &[u8]) {
    let choice: Result<FormatChoice, _> = name.parse();
    assert!(choice.is_ok(), "no format `{name}`");
    if let Ok(choice) = choice {
        check(choice, bytes);
    }
}

/// One record, recognised by its content.
pub fn auto(bytes: &[u8]) {
    check(FormatChoice::Auto, bytes);
}

fn check(choice: FormatChoice, bytes: &[u8]) {
    let options = Options {
        // Stamps without a year need a time they lie before; this one is as good as any.
        reference_time: EventTime::from_millis(1_782_777_600_000),
        keep_unmapped: true,
        ..Options::default()
    };
    let normalizer = Normalizer::new(choice, options);
    let mut events = Vec::new();
    let first = normalizer.normalize(bytes, 1, &mut events);
    check_answer(&first, &events);
    let mut again = Vec::new();
    let second = normalizer.normalize(bytes, 1, &mut again);
    assert!(
        first == second && events == again,
        "the same record, read twice, gives two answers"
    );
    for event in &events {
        check_event(event);
    }
}

fn check_answer(answer: &Result<usize, Rejection>, events: &[Event]) {
    match answer {
        Ok(count) => assert_eq!(*count, events.len(), "the number of events is not what was said"),
        Err(rejection) => {
            assert!(events.is_empty(), "a rejected record left events behind");
            assert!(
                rejection.reason.len() <= REASON_BYTES_MAX,
                "a reason repeats the record"
            );
            assert!(
                !rejection.reason.contains(['\n', '\r', '\u{1b}']),
                "a reason forges log lines"
            );
        }
    }
}

/// What is printed is one line of JSON.
fn check_event(event: &Event) {
    let mut printed = Vec::new();
    ocsf_out::write(event, &mut printed);
    assert!(!printed.contains(&b'\n'), "an event takes more than a line");
    let parsed: Result<serde_json::Value, _> = serde_json::from_slice(&printed);
    assert!(
        parsed.is_ok_and(|value| value.is_object()),
        "an event is not printed as a JSON object"
    );
}
