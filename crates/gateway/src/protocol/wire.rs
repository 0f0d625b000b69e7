//! The protocol's integers and strings.
//!
//! Reading never fails loudly and never allocates: a length that reaches beyond the packet is [`Malformed`].

/// A packet that is not what its command says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed packet")]
pub(crate) struct Malformed;

/// Reads the fields of a packet from its front.
#[derive(Debug, Clone)]
pub(crate) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn new(payload: &'a [u8]) -> Self {
        Self(payload)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (front, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(front)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (front, rest) = self.0.split_first_chunk::<N>().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*front)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Malformed> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A length-encoded integer.
    pub(crate) fn length(&mut self) -> Result<u64, Malformed> {
        match self.u8()? {
            0xfc => Ok(self.u16()?.into()),
            0xfd => {
                let [a, b, c] = self.array()?;
                Ok(u32::from_le_bytes([a, b, c, 0]).into())
            }
            0xfe => self.u64(),
            0xfb | 0xff => Err(Malformed),
            short => Ok(short.into()),
        }
    }

    /// Bytes behind their length-encoded length.
    pub(crate) fn sized(&mut self) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(self.length()?).map_err(|_| Malformed)?;
        self.bytes(length)
    }

    /// Bytes up to a NUL, which is passed, or to the packet's end.
    pub(crate) fn until_nul(&mut self) -> &'a [u8] {
        let mut parts = self.0.splitn(2, |byte| *byte == 0);
        let text = parts.next().unwrap_or_default();
        self.0 = parts.next().unwrap_or_default();
        text
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
}

/// UTF-8, as every name in a packet has to be.
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, Malformed> {
    str::from_utf8(bytes).map_err(|_| Malformed)
}

/// Appends a length-encoded integer.
pub(crate) fn put_length(buffer: &mut Vec<u8>, value: u64) {
    let [a, b, c, d, ..] = value.to_le_bytes();
    match value {
        0..0xfb => buffer.push(a),
        0xfb..0x1_0000 => buffer.extend([0xfc, a, b]),
        0x1_0000..0x100_0000 => buffer.extend([0xfd, a, b, c]),
        0x100_0000.. => {
            debug_assert!(d > 0 || value > u64::from(u32::MAX));
            buffer.push(0xfe);
            buffer.extend(value.to_le_bytes());
        }
    }
}

/// Appends bytes behind their length-encoded length.
pub(crate) fn put_sized(buffer: &mut Vec<u8>, bytes: &[u8]) {
    put_length(buffer, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    buffer.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lengths_read_back(value: u64) {
            for value in [value, value % 0x1_0000, value % 0x100_0000, value % 0x100] {
                let mut buffer = Vec::new();
                put_length(&mut buffer, value);
                let mut fields = Fields::new(&buffer);
                prop_assert_eq!(fields.length(), Ok(value));
                prop_assert!(fields.is_empty());
            }
        }

        #[test]
        fn claimed_lengths_beyond_the_packet_are_malformed(claimed in 3_u64.., bytes in any::<[u8; 2]>()) {
            let mut buffer = Vec::new();
            put_length(&mut buffer, claimed);
            buffer.extend(bytes);
            prop_assert_eq!(Fields::new(&buffer).sized(), Err(Malformed));
        }
    }

    #[test]
    fn text_ends_at_nul_or_at_the_end() {
        let mut fields = Fields::new(b"ab\0c");
        assert_eq!(fields.until_nul(), b"ab");
        assert_eq!(fields.until_nul(), b"c");
        assert!(fields.is_empty());
    }
}
