//! How much an input may ask of us.

/// The limits under which an input is read. Two sets are ready: [`Limits::local`] and [`Limits::untrusted`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Largest record in bytes; a larger one is skipped and reported. RELIABILITY S-04: 1 MiB.
    pub record_bytes_max: usize,
    /// Most bytes of output for one byte of compressed input; absent means no such limit.
    pub ratio_max: Option<u32>,
    /// The ratio is looked at once this many bytes came out: the first block of a small, very regular body
    /// compresses better than the body as a whole, and this much is harmless.
    pub ratio_after_bytes: u64,
    /// Most bytes one input may hold after decompression; absent means no such limit.
    pub output_bytes_max: Option<u64>,
    /// Largest window of a zstd frame, as a power of two; the decoder allocates that much.
    pub zstd_window_log_max: u32,
}

impl Limits {
    /// For files and pipes that a person named on the command line.
    ///
    /// No ratio limit and no size limit, on purpose: a real log of repetitive lines compresses better than 100:1,
    /// and such input is streamed record by record, so that memory stays bounded by `record_bytes_max` and the
    /// decoder's window however much comes out. zstd windows up to 128 MiB, as the zstd command line reads
    /// them without being asked (`ZSTD_WINDOWLOG_LIMIT_DEFAULT` = 27).
    #[must_use]
    pub const fn local() -> Self {
        Self {
            record_bytes_max: 1 << 20,
            ratio_max: None,
            ratio_after_bytes: 1 << 20,
            output_bytes_max: None,
            zstd_window_log_max: 27,
        }
    }

    /// For bodies that came over a network: 100:1 after the first MiB, 16 MiB in all (RELIABILITY S-04), zstd
    /// windows up to the 8 MiB that RFC 8878, section 3.1.1.1.2 recommends every decoder to support.
    #[must_use]
    pub const fn untrusted() -> Self {
        Self {
            record_bytes_max: 1 << 20,
            ratio_max: Some(100),
            ratio_after_bytes: 1 << 20,
            output_bytes_max: Some(16 << 20),
            zstd_window_log_max: 23,
        }
    }
}
