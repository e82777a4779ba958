//! What the kernel dropped in front of a UDP socket.
//!
//! Linux counts it in the last column of `/proc/self/net/udp` and `udp6` (proc(5)). A socket is found there by its
//! inode.

use socket2::SockRef;
use std::io::Read;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;

/// Most of the table that is looked at: 20,000 sockets.
const TABLE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Datagrams dropped since the socket was made. Absent where the system does not tell.
pub(super) fn udp_drops(socket: &SockRef<'_>, address: SocketAddr) -> Option<u64> {
    let link = std::fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).ok()?;
    let inode = link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
    let table = if address.is_ipv4() {
        "/proc/self/net/udp"
    } else {
        "/proc/self/net/udp6"
    };
    let mut text = String::new();
    let file = std::fs::File::open(table).ok()?;
    file.take(TABLE_BYTES_MAX).read_to_string(&mut text).ok()?;
    drops_of(&text, inode)
}

/// The last column of the line whose tenth is the inode.
fn drops_of(table: &str, inode: &str) -> Option<u64> {
    let mut lines = table.lines().map(|line| line.split_ascii_whitespace());
    let line = lines.find_map(|mut words| (words.nth(9) == Some(inode)).then_some(words))?;
    line.last()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_the_socket_is_found() {
        let table = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
             \x20 12: 0100007F:1F90 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0000000000000000 0\n\
             \x20 13: 0100007F:1F91 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4712 2 0000000000000000 815\n";
        assert_eq!(drops_of(table, "4711"), Some(0));
        assert_eq!(drops_of(table, "4712"), Some(815));
        assert_eq!(drops_of(table, "4713"), None);
    }
}
