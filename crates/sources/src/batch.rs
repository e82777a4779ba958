//! Work on several threads with the results in the order of the input.
//!
//! Batches go round-robin to the workers and results are taken round-robin from them, each through a bounded queue of its
//! own; so nothing is reordered, nothing has to be put back in order, and memory is bounded by the queues. Scoped
//! standard threads; no runtime.

use crate::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, Scope};

/// Items that wait in front of each worker, and results behind it, at most. Enough to bridge uneven items; with batches of
/// 256 KiB about 1 MiB a worker.
pub const QUEUE_ITEMS_MAX: usize = 2;

/// More threads than this are not started; the sink would not keep up with them anyway.
pub const THREADS_MAX: usize = 256;

/// Pumps `items` through `threads` workers and gives the results to `sink` in the order of the items.
///
/// `worker` is called once on each thread and gives the function that does the work there, which may own state.
/// `items` is drawn on a thread of its own, `sink` runs on the calling thread. With `threads` 0 or 1 everything runs on
/// the calling thread and none is started.
///
/// # Errors
/// The first error of `sink`, after which nothing more is drawn; [`Error::Panicked`] if `worker`, its function or `items`
/// panics, with the number of the batch; [`Error::Spawn`]. An item that is being drawn is waited for.
pub fn parallel_ordered<I, T, W, E>(
    threads: usize,
    items: impl Iterator<Item = I> + Send,
    worker: impl Fn() -> W + Sync,
    mut sink: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E>
where
    I: Send,
    T: Send,
    W: FnMut(I) -> T,
    E: From<Error>,
{
    if threads <= 1 {
        return inline(items, &worker, sink);
    }
    std::thread::scope(|scope| {
        let (queues, results) = start(scope, threads.min(THREADS_MAX), &worker)?;
        let (fault, faults) = sync_channel(1);
        spawn(scope, "reader", move || feed(items, &queues, &fault))?;
        for lane in results.iter().cycle() {
            // A lane ends when its worker has nothing more to come; in round-robin order that is the end of all.
            let Ok(result) = lane.recv() else { break };
            sink(result?)?;
        }
        match faults.recv() {
            Ok(error) => Err(error.into()),
            Err(_) => Ok(()),
        }
    })
}

fn inline<I, T, W, E>(
    items: impl Iterator<Item = I>,
    worker: &impl Fn() -> W,
    mut sink: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E>
where
    W: FnMut(I) -> T,
    E: From<Error>,
{
    let mut work = guarded("worker", 0, worker)?;
    let mut items = items;
    let mut batch = 0;
    while let Some(item) = guarded("reader", batch, || items.next())? {
        sink(guarded("worker", batch, || work(item))?)?;
        batch += 1;
    }
    Ok(())
}

/// An item and its number.
type Numbered<I> = (u64, I);
type Queue<I> = SyncSender<Numbered<I>>;
type Lane<T> = Receiver<Result<T, Error>>;
/// The queues into the workers and the lanes out of them.
type Lanes<I, T> = (Vec<Queue<I>>, Vec<Lane<T>>);

/// Starts the workers.
fn start<'scope, I, T, W>(
    scope: &'scope Scope<'scope, '_>,
    threads: usize,
    worker: &'scope (impl Fn() -> W + Sync),
) -> Result<Lanes<I, T>, Error>
where
    I: Send + 'scope,
    T: Send + 'scope,
    W: FnMut(I) -> T,
{
    let mut queues = Vec::with_capacity(threads);
    let mut results = Vec::with_capacity(threads);
    for _ in 0..threads {
        let (queue, queued) = sync_channel::<Numbered<I>>(QUEUE_ITEMS_MAX);
        let (lane, result) = sync_channel(QUEUE_ITEMS_MAX);
        spawn(scope, "worker", move || work_off(&queued, &lane, worker))?;
        queues.push(queue);
        results.push(result);
    }
    Ok((queues, results))
}

/// What a worker thread does: until nothing more comes, or nobody takes the results, or a panic.
fn work_off<I, T, W>(
    queued: &Receiver<Numbered<I>>,
    lane: &SyncSender<Result<T, Error>>,
    worker: &impl Fn() -> W,
) where
    W: FnMut(I) -> T,
{
    let mut work = None;
    for (batch, item) in queued {
        let result = guarded("worker", batch, || {
            let work = work.get_or_insert_with(worker);
            work(item)
        });
        let failed = result.is_err();
        if lane.send(result).is_err() || failed {
            return;
        }
    }
}

/// What the reader thread does: until the items end, or a worker is gone.
fn feed<I>(mut items: impl Iterator<Item = I>, queues: &[Queue<I>], fault: &SyncSender<Error>) {
    let mut batch = 0;
    for queue in queues.iter().cycle() {
        match guarded("reader", batch, || items.next()) {
            Ok(Some(item)) => {
                if queue.send((batch, item)).is_err() {
                    return;
                }
                batch += 1;
            }
            Ok(None) => return,
            Err(error) => {
                // The queue for faults holds one, and this is the only one ever sent.
                let _ = fault.try_send(error);
                return;
            }
        }
    }
}

/// A panic as an error. The panic's message is not repeated: it may hold what the record held.
fn guarded<T>(role: &'static str, batch: u64, run: impl FnOnce() -> T) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|_| Error::Panicked { role, batch })
}

fn spawn<'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    run: impl FnOnce() + Send + 'scope,
) -> Result<(), Error> {
    match Builder::new().name(name.to_owned()).spawn_scoped(scope, run) {
        Ok(_) => Ok(()),
        Err(source) => Err(Error::Spawn { source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn squares(threads: usize, n: u64) -> Vec<u64> {
        let mut got = Vec::new();
        let worker = || {
            |i: u64| {
                // Uneven work, so that threads overtake one another.
                std::thread::sleep(std::time::Duration::from_micros((i * 7919) % 50));
                i * i
            }
        };
        parallel_ordered::<_, _, _, Error>(threads, 0..n, worker, |x| {
            got.push(x);
            Ok(())
        })
        .unwrap();
        got
    }

    #[test]
    fn order_is_kept_on_any_number_of_threads() {
        let expected: Vec<u64> = (0..500).map(|i| i * i).collect();
        for threads in [0, 1, 2, 3, 8] {
            assert_eq!(squares(threads, 500), expected, "{threads} threads");
            assert_eq!(squares(threads, 0), [] as [u64; 0]);
            assert_eq!(squares(threads, 1), [0]);
        }
    }

    #[test]
    fn workers_own_their_state() {
        for threads in [1, 3] {
            let started = AtomicUsize::new(0);
            let worker = || {
                started.fetch_add(1, Ordering::SeqCst);
                let mut seen = 0;
                move |_: u32| {
                    seen += 1;
                    seen
                }
            };
            let mut total = 0;
            parallel_ordered::<_, usize, _, Error>(threads, 0..9, worker, |n| {
                total += n;
                Ok(())
            })
            .unwrap();
            let each = 9 / threads;
            assert_eq!(started.load(Ordering::SeqCst), threads);
            assert_eq!(total, each * (each + 1) / 2 * threads);
        }
    }

    #[test]
    fn panics_become_errors_with_the_batch() {
        for threads in [1, 2, 4] {
            let worker = || |i: u64| assert_ne!(i, 7, "as planned");
            let mut done = 0;
            let error = parallel_ordered::<_, _, _, Error>(threads, 0..1000, worker, |()| {
                done += 1;
                Ok(())
            });
            assert!(
                matches!(
                    error,
                    Err(Error::Panicked {
                        role: "worker",
                        batch: 7
                    })
                ),
                "{error:?}"
            );
            assert_eq!(done, 7);
            let items = (0..10).inspect(|i| assert_ne!(*i, 5, "as planned"));
            let error = parallel_ordered::<_, _, _, Error>(threads, items, || |i: i32| i, |_| Ok(()));
            assert!(
                matches!(
                    error,
                    Err(Error::Panicked {
                        role: "reader",
                        batch: 5
                    })
                ),
                "{error:?}"
            );
        }
    }

    #[test]
    fn a_failing_sink_stops_everything() {
        for threads in [1, 4] {
            let drawn = AtomicUsize::new(0);
            let items = (0..u64::MAX).inspect(|_| {
                drawn.fetch_add(1, Ordering::SeqCst);
            });
            let result = parallel_ordered(
                threads,
                items,
                || |i: u64| i,
                |i| {
                    if i == 3 { Err(Error::StdinTwice) } else { Ok(()) }
                },
            );
            assert!(matches!(result, Err(Error::StdinTwice)));
            assert!(drawn.load(Ordering::SeqCst) <= 4 + threads * (2 * QUEUE_ITEMS_MAX + 4));
        }
    }
}
