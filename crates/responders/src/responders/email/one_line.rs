//! A stream that is read line by line.

use lettre::transport::smtp::client::AsyncTokioStream;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes that are fetched at once.
const FETCH_BYTES: usize = 4_096;

/// Gives at most one line a read. The mail client reads ahead, and what it has read before TLS begins it would later take
/// for the server's protected answer (CVE-2021-38371, "NO STARTTLS", Poddebniak et al. 2021). Here whatever follows the
/// answer to STARTTLS stays below, meets the TLS handshake and breaks it.
#[derive(Debug)]
pub(super) struct OneLine<S> {
    stream: S,
    peer: SocketAddr,
    fetched: Vec<u8>,
    given: usize,
}

impl<S> OneLine<S> {
    pub(super) const fn new(stream: S, peer: SocketAddr) -> Self {
        Self {
            stream,
            peer,
            fetched: Vec::new(),
            given: 0,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for OneLine<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.given == this.fetched.len() {
            this.fetched.resize(FETCH_BYTES, 0);
            let mut buffer = ReadBuf::new(&mut this.fetched);
            let polled = Pin::new(&mut this.stream).poll_read(cx, &mut buffer);
            let filled = buffer.filled().len();
            this.fetched.truncate(if polled.is_ready() { filled } else { 0 });
            this.given = 0;
            ready!(polled)?;
        }
        let waiting = this.fetched.get(this.given..).unwrap_or_default();
        let line = waiting
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(waiting.len(), |at| at + 1);
        let count = line.min(out.remaining());
        out.put_slice(waiting.get(..count).unwrap_or_default());
        this.given += count;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for OneLine<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

impl<S> AsyncTokioStream for OneLine<S>
where
    S: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug,
{
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}
