//! The committer, on a file system that fails as disks do.

use super::*;
use crate::log::entry::sample;
use crate::log::{PAYLOAD_BYTES_MAX, Settings};
use crate::storage::{Dir as _, Fault, FaultFs};

fn start(fs: &FaultFs, settings: GroupSettings) -> (Committer, Receiver<Record>) {
    let (log, _) = Log::open(Arc::new(fs.clone()), Settings::default()).unwrap();
    let (sender, receiver) = mpsc::channel();
    let consumer = Box::new(move |records: Vec<Record>| {
        for record in records {
            sender.send(record).unwrap();
        }
    });
    (Committer::start(log, settings, consumer).unwrap(), receiver)
}

#[test]
fn many_threads_get_positions_of_their_own_and_the_consumer_sees_all_in_order() {
    let fs = FaultFs::new();
    let settings = GroupSettings {
        wait: Duration::from_millis(1),
        ..GroupSettings::default()
    };
    let (committer, consumed) = start(&fs, settings);
    thread::scope(|scope| {
        for worker in 0..8 {
            let committer = &committer;
            scope.spawn(move || {
                for turn in 0..50 {
                    let entries = vec![sample(worker * 1_000 + turn), sample(worker * 1_000 + turn + 500)];
                    let positions = committer.append(entries.clone()).unwrap().wait().unwrap();
                    let read = committer.read_from(positions.start).take(2);
                    let read: Vec<Entry> = read.map(|record| record.unwrap().entry).collect();
                    assert_eq!(read, entries);
                }
            });
        }
    });
    let stats = committer.stats();
    assert_eq!((stats.records, stats.queued_bytes, stats.failures), (800, 0, 0));
    assert!(stats.shared > 0 && stats.commits < 400, "{stats:?}");
    assert_eq!(committer.close().unwrap().end(), Position(800));
    let positions: Vec<u64> = consumed.iter().map(|record| record.position.0).collect();
    assert_eq!(positions, (0..800).collect::<Vec<_>>());
    assert!(matches!(committer.append(vec![sample(1)]), Err(Error::Closed)));
}

#[test]
fn a_request_larger_than_a_group_is_committed_in_parts() {
    let (committer, consumed) = start(&FaultFs::new(), GroupSettings::default());
    let mut large = sample(1);
    large.payload = vec![7; PAYLOAD_BYTES_MAX];
    let positions = committer.append(vec![large; 12]).unwrap().wait().unwrap();
    assert_eq!(positions, Position(0)..Position(12));
    assert_eq!(committer.stats().commits, 12);
    drop(committer);
    assert_eq!(consumed.iter().count(), 12);
}

#[test]
fn of_a_request_that_meets_a_full_disk_it_is_told_what_is_kept() {
    let fs = FaultFs::new();
    let (committer, consumed) = start(&fs, GroupSettings::default());
    let mut large = sample(1);
    large.payload = vec![7; PAYLOAD_BYTES_MAX];
    let mut in_part = 0;
    for room in (0..6).map(|step| step * PAYLOAD_BYTES_MAX * 4 / 5 + 1_000) {
        let used: usize = fs
            .list()
            .unwrap()
            .iter()
            .filter_map(|name| fs.content(name))
            .map(|all| all.len())
            .sum();
        fs.limit(Some(used + room));
        let (sender, receiver) = mpsc::channel();
        let tell = Box::new(move |kept| sender.send(kept).unwrap());
        committer.append_kept(vec![large.clone(); 4], tell).unwrap();
        let kept: Kept = receiver.recv().unwrap();
        fs.limit(None);
        let count = usize::try_from(kept.positions.end.0 - kept.positions.start.0).unwrap();
        let expected = (count < 4).then_some(Error::Full);
        assert_eq!(kept.failed, expected, "room for {room} bytes");
        assert_eq!(
            committer.readers().end(),
            kept.positions.end,
            "what is not kept is not in the log"
        );
        assert_eq!(consumed.iter().take(count).count(), count);
        in_part += u64::from((1..4).contains(&count));
    }
    assert!(in_part > 1, "kept in part {in_part} times");
}

#[test]
fn overload_is_refused_and_a_failed_sync_refuses_all_that_follows() {
    let fs = FaultFs::new();
    let (log, _) = Log::open(Arc::new(fs.clone()), Settings::default()).unwrap();
    let settings = GroupSettings {
        queue_bytes_max: 1_000,
        ..GroupSettings::default()
    };
    let (go, wait) = mpsc::channel::<()>();
    let consumer = Box::new(move |_| wait.recv().unwrap());
    let committer = Committer::start(log, settings, consumer).unwrap();
    committer.append(vec![sample(1)]).unwrap().wait().unwrap();
    // The consumer blocks: requests gather until the limit.
    let mut tickets = Vec::new();
    let refusal = loop {
        match committer.append(vec![sample(2)]) {
            Ok(ticket) => tickets.push(ticket),
            Err(error) => break error,
        }
    };
    assert_eq!(refusal, Error::Overloaded);
    assert!(!tickets.is_empty() && committer.stats().refused == 1);
    fs.fail(1, Fault::Io);
    go.send(()).unwrap();
    for ticket in tickets {
        assert!(ticket.wait().is_err());
    }
    assert_eq!(
        committer.append(vec![sample(3)]).unwrap().wait(),
        Err(Error::Stopped)
    );
}

#[test]
fn a_consumer_that_panics_leaves_nobody_waiting() {
    let (log, _) = Log::open(Arc::new(FaultFs::new()), Settings::default()).unwrap();
    let consumer = Box::new(|_| panic!("as a test"));
    let committer = Committer::start(log, GroupSettings::default(), consumer).unwrap();
    committer.append(vec![sample(1)]).unwrap().wait().unwrap();
    let later = committer.append(vec![sample(2)]).map(Ticket::wait);
    assert!(matches!(later, Err(Error::Closed) | Ok(Err(Error::Closed))));
    assert!(committer.close().is_none());
}
