//! The chain under tampering, power cuts and failing calls.

use super::entry::GENESIS;
use super::*;
use crate::bytes::unhex;
use crate::crypto::{Key, Keyring};
use crate::storage::{Fault, FaultFs, RealFs};
use crate::testing::soak;
use entry::Parsed;
use oorandom::Rand32;
use serde_json::json;

fn key() -> AuditKey {
    AuditKey::from_bytes(&[9; 32])
}

fn at(ms: i64) -> IngestTime {
    IngestTime::from_millis(1_700_000_000_000 + ms).unwrap()
}

fn try_open(fs: &FaultFs) -> Result<Audit> {
    let dir: Arc<dyn Dir> = Arc::new(fs.clone());
    let reserve = Reserve::find(dir.clone(), 30_000)?;
    recovery::open_with((dir, reserve), key(), at(0)).map(|(audit, _)| audit)
}

fn draft(number: u64) -> Draft {
    Draft {
        actor: format!("analyst-{}", number % 7).into(),
        action: "verdict".into(),
        subject: Some(format!("finding-{number}").into()),
        detail: json!({"verdict": "benign", "note": "ü \"quoted\"\n", "number": number}),
        versions: [("policy".to_owned(), "3".to_owned())].into(),
    }
}

fn lines(fs: &FaultFs) -> Vec<Vec<u8>> {
    let content = fs.content(&file_name(0)).unwrap();
    content
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect()
}

/// A chain of some entries with a checkpoint at its end.
fn chain(entries: u64) -> (FaultFs, Vec<Checkpoint>) {
    let fs = FaultFs::new();
    let mut audit = try_open(&fs).unwrap();
    for number in 0..entries {
        audit
            .append(draft(number), at(i64::try_from(number).unwrap()))
            .unwrap();
    }
    audit.checkpoint(at(50_000)).unwrap();
    (fs, audit.checkpoints(0).to_vec())
}

#[test]
fn a_chain_verifies_and_is_read_by_filter_and_page() {
    let (fs, kept) = chain(2_500);
    let report = verify(&fs, &key().public(), &kept).unwrap();
    assert_eq!(report.broken, None);
    // The beginning, a checkpoint over it, one after each thousand, and the last.
    assert_eq!(
        (report.entries, report.checkpoints, report.unsigned),
        (2_505, 4, 0)
    );
    assert_eq!(report.confirmed, 4);
    let exported = String::from_utf8(fs.content(CHECKPOINTS_FILE).unwrap()).unwrap();
    assert_eq!(Checkpoint::parse_lines(&exported).unwrap(), kept);

    let reader = AuditReader::new(Arc::new(fs), Keyring::default());
    let filter = Filter {
        actor: Some("analyst-3".to_owned()),
        from: Some(at(100).as_millis()),
        until: Some(at(200).as_millis()),
        ..Filter::default()
    };
    let first = reader.page(&filter, None, 10).unwrap();
    let second = reader.page(&filter, first.next, 10).unwrap();
    let numbers: Vec<_> = first
        .entries
        .iter()
        .chain(&second.entries)
        .map(|entry| entry.detail["number"].clone())
        .collect();
    let expected: Vec<_> = (100..200)
        .rev()
        .filter(|number| number % 7 == 3)
        .map(|number| json!(number))
        .collect();
    assert_eq!(numbers, expected);
    assert_eq!((first.entries.len(), second.next), (10, None));
    let one = Filter {
        subject: Some("finding-77".to_owned()),
        ..Filter::default()
    };
    assert_eq!(
        reader.page(&one, None, 10).unwrap().entries[0].detail,
        draft(77).detail
    );
}

/// Changes a chain somehow, if only to itself, and says how.
fn tamper(lines: &mut Vec<Vec<u8>>, dice: &mut Rand32) -> &'static str {
    let count = u32::try_from(lines.len()).unwrap();
    let index = usize::try_from(dice.rand_range(0..count)).unwrap();
    match dice.rand_range(0..8) {
        0 => {
            let place =
                usize::try_from(dice.rand_range(0..u32::try_from(lines[index].len()).unwrap())).unwrap();
            lines[index][place] ^= 1 << dice.rand_range(0..8);
            "a bit"
        }
        1 => {
            lines.remove(index);
            "a deletion"
        }
        2 => {
            let copy = lines[usize::try_from(dice.rand_range(0..count)).unwrap()].clone();
            lines.insert(index, copy);
            "an insertion"
        }
        3 => {
            let other = (index + 1 + usize::try_from(dice.rand_range(0..count - 1)).unwrap()) % lines.len();
            lines.swap(index, other);
            "a swap"
        }
        4 => {
            lines.truncate(index);
            "a cut"
        }
        5 => {
            let len =
                usize::try_from(dice.rand_range(0..u32::try_from(lines[index].len()).unwrap())).unwrap();
            lines.truncate(index + 1);
            lines[index].truncate(len);
            "a cut within a line"
        }
        6 => {
            rechain(lines, index, None);
            "a change with all hashes made anew"
        }
        _ => {
            rechain(lines, index, Some(&AuditKey::from_bytes(&[1; 32])));
            "a change with all hashes and signatures made anew"
        }
    }
}

/// What an attacker who can write the file would do.
fn rechain(lines: &mut [Vec<u8>], index: usize, forger: Option<&AuditKey>) {
    let mut hash = GENESIS;
    for (number, line) in lines.iter_mut().enumerate() {
        let parsed = Parsed::new(line.strip_suffix(b"\n").unwrap()).unwrap();
        let (mut entry, old) = (parsed.entry().unwrap(), parsed.hash);
        if number == index {
            entry.time += 1;
        }
        let checkpoint = Checkpoint::of(&entry);
        if let (Some(forger), Some(checkpoint), true) = (forger, checkpoint, number > index) {
            entry.detail = json!(forger.sign(checkpoint.through, &hash, checkpoint.time));
        }
        let (forged, next) = if number < index {
            (line.clone(), old)
        } else {
            let (text, next) = entry.line(&hash).unwrap();
            (text.into_bytes(), next)
        };
        *line = forged;
        hash = next;
    }
}

/// S-14.
#[test]
fn every_change_of_the_chain_is_found() {
    let (fs, kept) = chain(60);
    let original = lines(&fs);
    let mut dice = Rand32::new(14);
    for turn in 0..10_000 * soak() {
        let mut changed = original.clone();
        let what = tamper(&mut changed, &mut dice);
        if changed == original {
            continue;
        }
        let differs = changed.iter().zip(&original).position(|(new, old)| new != old);
        let seq = differs.unwrap_or(changed.len().min(original.len())) as u64;
        fs.tamper(&file_name(0), |bytes| *bytes = changed.concat());
        let report = verify(&fs, &key().public(), &kept).unwrap();
        let broken = report
            .broken
            .unwrap_or_else(|| panic!("{turn}: {what} at {seq} was not noticed"));
        if !what.contains("made anew") {
            assert_eq!(broken.seq, seq, "{turn}: {what}: {broken:?}");
        } else {
            // It shows at the next checkpoint.
            assert!(broken.seq >= seq, "{turn}: {what} at {seq}: {broken:?}");
        }
    }
}

#[test]
fn a_chain_of_one_s_own_making_and_an_older_copy_are_found() {
    let (fs, kept) = chain(30);
    let (older, _) = chain(10);
    let report = verify(&older, &key().public(), &kept).unwrap();
    assert_eq!(report.broken.unwrap().seq, 13, "an older copy ends too early");
    let mut longer = try_open(&fs).unwrap();
    for number in 0..5 {
        longer.append(draft(number), at(60_000)).unwrap();
    }
    longer.checkpoint(at(60_000)).unwrap();
    let later = longer.checkpoints(0).to_vec();
    let rolled_back = FaultFs::new();
    rolled_back.open(&file_name(0), Access::Create).unwrap();
    let cut: Vec<u8> = lines(&fs)[..33].concat();
    rolled_back.tamper(&file_name(0), |bytes| *bytes = cut);
    assert_eq!(
        verify(&rolled_back, &key().public(), &kept).unwrap().broken,
        None,
        "it was so once"
    );
    let report = verify(&rolled_back, &key().public(), &later).unwrap();
    assert_eq!(report.broken.unwrap().seq, 33);
    let other = AuditKey::from_bytes(&[1; 32]).public();
    assert!(verify(&fs, &other, &[]).unwrap().broken.is_some());
    assert!(
        verify(&FaultFs::new(), &key().public(), &[])
            .unwrap()
            .broken
            .is_some()
    );
}

///
#[test]
fn no_fault_breaks_the_chain_or_loses_what_was_recorded() {
    for fault in [
        Fault::Cut,
        Fault::Io,
        Fault::Full,
        Fault::Interrupted,
        Fault::Short,
    ] {
        for seed in 0..60 * soak() {
            let fs = FaultFs::new();
            let mut dice = Rand32::new(seed);
            let (mut recorded, mut kept): (u64, Vec<Checkpoint>) = (0, Vec::new());
            for life in 0..4 {
                fs.fail(u64::from(dice.rand_range(0..60)), fault);
                let mut audit = try_open(&fs);
                for turn in 0..dice.rand_range(1..15) {
                    let Ok(audit) = &mut audit else { break };
                    let now = at(i64::from(turn) * 30_000 + life * 1_000_000);
                    let taken: Vec<u64> = (0..dice.rand_range(1..4))
                        .filter_map(|i| audit.append(draft(i.into()), now).ok())
                        .collect();
                    if let (Ok(()), Some(last)) = (audit.commit(now), taken.last()) {
                        recorded = recorded.max(last + 1);
                    }
                    // A copy elsewhere is made of what the chain gives out.
                    kept = audit.checkpoints(0).to_vec();
                }
                fs.restart(seed * 10 + u64::try_from(life).unwrap());
                let audit = try_open(&fs).unwrap();
                let report = verify(&fs, &key().public(), &kept).unwrap();
                assert_eq!(report.broken, None, "{fault:?} seed {seed} life {life}");
                assert!(
                    report.entries >= recorded,
                    "{fault:?} seed {seed}: {report:?}, {recorded} recorded"
                );
                recorded = audit.next_seq();
            }
        }
    }
}

#[test]
fn damage_before_a_checkpoint_stays_where_it_is_and_the_chain_goes_on() {
    let (fs, kept) = chain(20);
    fs.tamper(&file_name(0), |bytes| bytes[1_500] ^= 1);
    let before = fs.content(&file_name(0)).unwrap();
    let dir: Arc<dyn Dir> = Arc::new(fs.clone());
    let reserve = Reserve::find(dir.clone(), 30_000).unwrap();
    let (mut audit, recovery) = recovery::open_with((dir, reserve), key(), at(0)).unwrap();
    assert!(recovery.is_damaged && recovery.bytes_cut == 0 && recovery.entries == 23);
    assert_eq!(audit.record(draft(99), at(70_000)).unwrap(), 23);
    assert!(
        fs.content(&file_name(0)).unwrap().starts_with(&before),
        "evidence stays"
    );
    let broken = verify(&fs, &key().public(), &kept).unwrap().broken.unwrap();
    assert!(broken.seq < 8 && broken.line == broken.seq + 1, "{broken:?}");
}

#[test]
fn the_signing_key_is_made_once_and_only_its_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.key");
    let public = AuditKey::load_or_create(&path).unwrap().public();
    assert_eq!(AuditKey::load_or_create(&path).unwrap().public(), public);
    assert_eq!(AuditPublicKey::parse(&public.to_string()), Some(public));
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(AuditKey::load_or_create(&path).err(), Some(Error::KeyExposed));
    assert_eq!(unhex::<2>("+1f0"), None);
}

/// A million entries with `HABITUS_SOAK=100`, in release: prints how long verification takes.
#[test]
#[expect(clippy::disallowed_methods, reason = "it measures")]
fn a_long_chain_over_several_files_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let dir = Arc::new(RealFs::own(&folder.path().join("audit")).unwrap());
    let (mut audit, _) = Audit::open(dir.clone(), key(), at(0)).unwrap();
    let entries = 10_000 * soak();
    for number in 0..entries {
        let mut draft = draft(number);
        draft.detail = json!("x".repeat(1_000));
        audit.append(draft, at(1)).unwrap();
    }
    audit.checkpoint(at(1)).unwrap();
    assert!(files(dir.as_ref()).unwrap().len() > 1);
    let kept = audit.checkpoints(0).to_vec();
    drop(audit);
    let start = std::time::Instant::now();
    let report = verify(dir.as_ref(), &key().public(), &kept).unwrap();
    println!("{} entries verified in {:?}", report.entries, start.elapsed());
    assert_eq!((report.broken, report.confirmed), (None, report.checkpoints));
    let (audit, recovery) = Audit::open(dir, key(), at(2)).unwrap();
    assert_eq!(
        (recovery.entries, audit.checkpoints(0)),
        (report.entries, kept.as_slice())
    );
}

#[test]
fn an_encrypted_chain_tells_nothing_without_its_key_and_is_the_same_chain_with_it() {
    let keys = Keyring::of(Key::new([5; 32]));
    let fs = FaultFs::new();
    let open = |key: AuditKey| {
        let dir: Arc<dyn Dir> = Arc::new(fs.clone());
        let reserve = Reserve::find(dir.clone(), 30_000)?;
        recovery::open_with((dir, reserve), key, at(0))
    };
    // It began plain: a key is configured later.
    let (mut audit, _) = open(key()).unwrap();
    audit.record(draft(0), at(1)).unwrap();
    drop(audit);
    for life in 1..4_u64 {
        let (mut audit, recovery) = open(key().encrypting(keys.clone())).unwrap();
        assert!(!recovery.is_damaged && recovery.bytes_cut == 0, "{recovery:?}");
        for number in 1..600 {
            audit.append(draft(life * 1_000 + number), at(2)).unwrap();
        }
        audit.checkpoint(at(3)).unwrap();
        let page = audit.reader().page(&Filter::default(), None, 2).unwrap();
        assert_eq!(
            page.entries[1].subject.as_deref(),
            Some(format!("finding-{}", life * 1_000 + 599).as_str())
        );
    }
    let content = fs.content(&file_name(0)).unwrap();
    let text = String::from_utf8(content.clone()).unwrap();
    assert!(text.contains("finding-0") && !text.contains("finding-1001") && !text.contains("analyst-6"));
    let check = |keys: &Keyring| verify_encrypted((&fs, keys), &key().public(), &[]);
    let report = check(&keys).unwrap();
    assert!(report.broken.is_none() && report.entries > 1_800, "{report:?}");
    assert!(matches!(check(&Keyring::default()), Err(Error::KeyMissing(_))));
    assert!(
        matches!(open(key()), Err(Error::KeyMissing(_))),
        "nothing is cut off for want of a key"
    );
    assert_eq!(fs.content(&file_name(0)).unwrap(), content);
    // Lines that are changed or change places are named.
    let line = text.lines().take(1_000).map(|line| line.len() + 1).sum::<usize>();
    fs.tamper(&file_name(0), |bytes| bytes[line + 100] ^= 1);
    let broken = check(&keys).unwrap().broken.unwrap();
    assert_eq!((broken.seq, broken.line), (1_000, 1_001));
    let mut moved: Vec<&str> = text.lines().collect();
    moved.swap(1_200, 1_201);
    fs.tamper(&file_name(0), |bytes| {
        *bytes = (moved.join("\n") + "\n").into_bytes()
    });
    assert_eq!(check(&keys).unwrap().broken.unwrap().seq, 1_200);
}
