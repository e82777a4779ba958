//! Work that can wait, on threads that give way.
//!
//! Making bytes of a snapshot and sealing segments take a processor for seconds. Where there are two, and both are busy, requests
//! would wait for them; at a lower priority it is the other way round.

/// The nice value of threads that can wait: with 5 a thread has a third of the share of one with 0 (weights 335 and 1,024 of
/// `sched_prio_to_weight` in Linux), so that it comes to an end on a machine that is busy for hours, too.
const NICE: i32 = 5;

/// Lowers the priority of the thread that calls it; on Linux it is a thread's own. A system that does not allow it is none the
/// worse for it.
pub fn give_way() {
    let _ = rustix::process::setpriority_process(None, NICE);
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::getpriority_process;

    #[test]
    fn only_the_thread_that_gives_way_does() {
        let before = getpriority_process(None).unwrap();
        let after = std::thread::spawn(|| {
            give_way();
            getpriority_process(None).unwrap()
        });
        assert_eq!(after.join().unwrap(), NICE.max(before));
        assert_eq!(getpriority_process(None).unwrap(), before);
    }
}
