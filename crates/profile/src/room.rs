//! Small sets grow by one: most of a million accounts hold one or two values of each kind, and a `Vec` left to itself makes room
//! for four at once. A set grows a few dozen times in its life, so that copying it costs nothing that shows.

/// Sees to it that one more fits, and no more.
pub(crate) fn for_one_more<T>(held: &mut Vec<T>) {
    if held.len() == held.capacity() {
        held.reserve_exact(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_what_is_held_and_no_more() {
        let mut held = Vec::new();
        for number in 0_u64..9 {
            for_one_more(&mut held);
            held.push(number);
            assert_eq!(held.capacity(), held.len());
        }
    }
}
