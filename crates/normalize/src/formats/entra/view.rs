//! One record as Graph object and envelope at once.

use super::NAME;
use crate::envelope;
use crate::format::Reading;
use crate::json::Json;
use crate::{field, stamp, unmapped};
use habitus_model::account::named;
use habitus_model::{
    AccountKind, Activity, Endpoint, Event, EventTime, Rejection, SourceName, Text, TimeQuality, User,
    UtcOffset,
};
use std::borrow::Cow;

/// A record, and the Graph object in it (the same, if there is no envelope).
#[derive(Debug, Clone, Copy)]
pub struct View<'s> {
    pub record: &'s Json<'s>,
    pub body: &'s Json<'s>,
    /// Its place in the list it came in.
    pub index: Option<usize>,
    pub reading: &'s Reading<'s>,
}

/// Entra writes this where there is no object.
const NO_OBJECT: &str = "00000000-0000-0000-0000-000000000000";

impl<'s> View<'s> {
    /// A member of the Graph object, else of the envelope, in any case.
    pub fn get(&self, key: &str) -> Option<&'s Json<'s>> {
        self.body
            .get_any_case(key)
            .or_else(|| self.record.get_any_case(key))
    }

    /// Like [`View::get`] for strings; absent if it says nothing.
    pub fn str(&self, key: &str) -> Option<&'s str> {
        self.get(key)?.as_str().and_then(named)
    }

    /// Like [`View::str`], owned; numbers are written out.
    pub fn text(&self, key: &str) -> Option<Text> {
        self.get(key)?.to_text()
    }

    /// A boolean member.
    pub fn bool(&self, key: &str) -> Option<bool> {
        self.get(key)?.as_bool()
    }

    /// A member that is an object or array, or JSON text of one.
    pub fn part(&self, key: &str) -> Option<Cow<'s, Json<'s>>> {
        envelope::structured(self.get(key)?, &self.reading.options.limits)
    }

    /// A fresh event at the first of `stamps` that is there.
    pub fn event(&self, stamps: &[&str], activity: Activity, action: &str) -> Result<Event, Rejection> {
        let found: Vec<Option<&Json<'_>>> = stamps
            .iter()
            .map(|key| self.get(key))
            .chain([self.record.get("p_event_time"), self.record.get("TimeGenerated")])
            .collect();
        let (time, quality) = self.time(&found, stamps.first().copied().unwrap_or("time"))?;
        let id = self
            .body
            .get_any_case("id")
            .and_then(Json::as_str)
            .and_then(named);
        let uid = envelope::uid(id, self.index, self.reading);
        let mut event = Event::new(uid, time, SourceName::new(NAME), activity, action);
        event.time_quality = quality;
        Ok(event)
    }

    /// Where it came from: address and place.
    pub fn origin(&self) -> Endpoint {
        let address = self
            .str("ipAddress")
            .or_else(|| self.str("callerIpAddress"))
            .and_then(field::ip_port);
        let mut src = Endpoint {
            ip: address.map(|(ip, _)| ip),
            port: address.and_then(|(_, port)| port),
            asn: self
                .get("autonomousSystemNumber")
                .and_then(number)
                .and_then(habitus_model::Asn::new),
            ..Endpoint::default()
        };
        let place = self.part("locationDetails").or_else(|| self.part("location"));
        if let Some(place) = place.as_deref() {
            src.country = place.text("countryOrRegion");
            src.region = place.text("state");
            src.city = place.text("city");
            src.coordinates = field::coordinates(
                place.f64("geoCoordinates.latitude"),
                place.f64("geoCoordinates.longitude"),
            );
        }
        src.country = src.country.or_else(|| self.str("location").and_then(field::text));
        src
    }

    /// Members of the Graph object without a place in an event.
    pub fn rest(&self, mapped: &[&str]) -> Option<Text> {
        unmapped::rest(self.body, mapped, self.reading.options)
    }

    fn time(&self, stamps: &[Option<&Json<'_>>], name: &str) -> Result<(EventTime, TimeQuality), Rejection> {
        stamp::or_reference(stamps, name, self.reading.options).or_else(|rejection| {
            stamps
                .iter()
                .flatten()
                .next()
                .and_then(|stamp| respelled(stamp.as_str()?))
                .map(|time| (time, TimeQuality::Source))
                .ok_or(rejection)
        })
    }
}

/// An object id, unless it is the one that means none.
#[must_use]
pub fn object_id(id: Option<Text>) -> Option<Text> {
    id.filter(|id| id != NO_OBJECT)
}

/// A service principal. Its display name is not unique, and anybody who may register applications can choose it: it is
/// known by its id; the name only stands in where there is no id.
#[must_use]
pub fn principal(id: Option<Text>, name: Option<Text>) -> User {
    let id = object_id(id);
    User {
        name: if id.is_none() { name.clone() } else { None },
        uid: id,
        display_name: name,
        kind: AccountKind::Service,
        ..User::default()
    }
}

fn number(json: &Json<'_>) -> Option<u32> {
    match json {
        Json::Integer(number) => u32::try_from(*number).ok(),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Stamps as some exporters of Entra write them: `3/24/2022 2:42:35 PM`, and hours of one digit
/// (`2023-10-26T5:32:08.107Z`). Both are UTC.
fn respelled(text: &str) -> Option<EventTime> {
    let iso = if let Some((date, clock)) = text.split_once('T') {
        format!("{date}T0{clock}")
    } else {
        let mut words = text.split_whitespace();
        let mut date = words.next()?.splitn(3, '/');
        let (month, day, year) = (date.next()?, date.next()?, date.next()?);
        let (hour, rest) = words.next()?.split_once(':')?;
        let hour: u8 = hour.parse().ok()?;
        let hour = match words.next() {
            Some("PM") => hour % 12 + 12,
            Some("AM") => hour % 12,
            _ => hour,
        };
        format!("{year}-{month:0>2}-{day:0>2}T{hour:02}:{rest}Z")
    };
    stamp::iso(&iso, UtcOffset::default())
}

#[cfg(test)]
mod tests {
    use super::respelled;
    use crate::stamp::iso;
    use habitus_model::UtcOffset;

    #[test]
    fn odd_stamps_are_read() {
        for (odd, plain) in [
            ("3/24/2022 2:42:35 PM", "2022-03-24T14:42:35Z"),
            ("12/1/2022 12:00:00 AM", "2022-12-01T00:00:00Z"),
            ("2023-10-26T5:32:08.107Z", "2023-10-26T05:32:08.107Z"),
        ] {
            let expected = iso(plain, UtcOffset::default());
            assert!(expected.is_some());
            assert_eq!(respelled(odd), expected, "{odd}");
        }
        for not in [
            "",
            "T",
            "/",
            "1/2/3 4",
            "13/45/2022 99:00:00 PM",
            "yesterday at noon",
        ] {
            assert_eq!(respelled(not), None, "{not}");
        }
    }
}
