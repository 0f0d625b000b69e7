//! A check of a request's outline before the codec decodes it.
//!
//! The codec allocates what an array's length claims before it reads the first element, so twelve hostile bytes could
//! ask for hundreds of gigabytes. Here the same bytes are walked without allocating: every length must be covered by
//! bytes that are there, and one request may hold at most [`MAX_ELEMENTS`] array elements and tagged fields. What
//! passes may still be refused by the codec; what fails must not reach it.

use kafka_protocol::messages::ApiKey;

mod requests;
#[cfg(test)]
pub(crate) mod samples;

/// Elements of all arrays and tagged fields of one request. Raising it raises the memory that a hostile request takes,
/// at about 200 bytes each.
const MAX_ELEMENTS: usize = 250_000;

/// Why a request must not be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ShapeError {
    #[error("request ends in the middle of a field")]
    Short,
    #[error("negative length {found}")]
    Negative { found: i32 },
    #[error("request has more than {MAX_ELEMENTS} elements")]
    Elements,
    #[error("tagged field {tag} has {found} bytes, expected {expected}")]
    Tag { tag: u32, expected: usize, found: usize },
}

/// The fields of a request or of an array's elements, in order.
#[derive(Debug)]
struct Shape {
    /// First version with compact lengths and tagged fields.
    flexible_since: i16,
    fields: &'static [Item],
}

/// A field, and the versions that have it (both ends inclusive).
#[derive(Debug)]
struct Item {
    since: i16,
    until: i16,
    field: Field,
}

#[derive(Debug)]
enum Field {
    /// This many bytes.
    Fixed(usize),
    /// A string, possibly null.
    Text,
    /// Bytes, possibly null.
    Blob,
    /// An array, possibly null, of structures.
    List(&'static [Item]),
    /// An array of strings.
    Texts,
    /// An array of elements of this many bytes.
    Fixeds(usize),
    /// Tagged fields that the codec knows, and their lengths. The codec trusts these lengths to be right.
    Tags(&'static [(u32, usize)]),
}

/// Checks a request's header: API key, version, correlation id, client id, tagged fields.
pub(crate) fn check_header(bytes: &[u8], header_version: i16) -> Result<(), ShapeError> {
    let mut walk = Walk { rest: bytes, version: header_version, flexible: false, elements_left: MAX_ELEMENTS };
    walk.skip(8)?;
    walk.text()?;
    if header_version >= 2 { walk.tags(&[]) } else { Ok(()) }
}

/// Checks what follows the header. An API that is not served passes, since nobody will decode it.
pub(crate) fn check_body(api: ApiKey, version: i16, body: &[u8]) -> Result<(), ShapeError> {
    let Some(shape) = requests::shape(api) else {
        return Ok(());
    };
    let flexible = version >= shape.flexible_since;
    Walk { rest: body, version, flexible, elements_left: MAX_ELEMENTS }.fields(shape.fields)
}

struct Walk<'a> {
    rest: &'a [u8],
    version: i16,
    flexible: bool,
    elements_left: usize,
}

impl Walk<'_> {
    fn fields(&mut self, items: &[Item]) -> Result<(), ShapeError> {
        let mut known: &[(u32, usize)] = &[];
        let version = self.version;
        for item in items.iter().filter(|item| (item.since..=item.until).contains(&version)) {
            match item.field {
                Field::Fixed(bytes) => self.skip(bytes)?,
                Field::Text => self.text()?,
                Field::Blob => {
                    let bytes = self.length()?;
                    self.skip(bytes)?;
                }
                Field::List(fields) => self.list(|walk| walk.fields(fields))?,
                Field::Texts => self.list(Self::text)?,
                Field::Fixeds(bytes) => self.list(|walk| walk.skip(bytes))?,
                Field::Tags(tags) => known = tags,
            }
        }
        if self.flexible { self.tags(known) } else { Ok(()) }
    }

    fn list(&mut self, mut element: impl FnMut(&mut Self) -> Result<(), ShapeError>) -> Result<(), ShapeError> {
        let count = self.length()?;
        self.spend(count)?;
        for _ in 0..count {
            element(self)?;
        }
        Ok(())
    }

    fn text(&mut self) -> Result<(), ShapeError> {
        if self.flexible {
            let bytes = self.length()?;
            return self.skip(bytes);
        }
        let found = i16::from_be_bytes(self.take()?);
        match usize::try_from(found) {
            Ok(bytes) => self.skip(bytes),
            Err(_) if found == -1 => Ok(()),
            Err(_) => Err(ShapeError::Negative { found: i32::from(found) }),
        }
    }

    /// A length of bytes or an array; null counts as 0.
    fn length(&mut self) -> Result<usize, ShapeError> {
        if self.flexible {
            return to_usize(self.varint()?.saturating_sub(1));
        }
        let found = i32::from_be_bytes(self.take()?);
        match usize::try_from(found) {
            Ok(length) => Ok(length),
            Err(_) if found == -1 => Ok(0),
            Err(_) => Err(ShapeError::Negative { found }),
        }
    }

    fn tags(&mut self, known: &[(u32, usize)]) -> Result<(), ShapeError> {
        let count = to_usize(self.varint()?)?;
        self.spend(count)?;
        for _ in 0..count {
            let tag = self.varint()?;
            let found = to_usize(self.varint()?)?;
            if let Some((_, expected)) = known.iter().find(|(known, bytes)| *known == tag && *bytes != found) {
                return Err(ShapeError::Tag { tag, expected: *expected, found });
            }
            self.skip(found)?;
        }
        Ok(())
    }

    /// As lenient as the codec: the fifth byte ends the number whatever it says.
    fn varint(&mut self) -> Result<u32, ShapeError> {
        let mut value = 0;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.take()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        Ok(value)
    }

    fn spend(&mut self, elements: usize) -> Result<(), ShapeError> {
        self.elements_left = self.elements_left.checked_sub(elements).ok_or(ShapeError::Elements)?;
        Ok(())
    }

    fn skip(&mut self, bytes: usize) -> Result<(), ShapeError> {
        self.rest = self.rest.get(bytes..).ok_or(ShapeError::Short)?;
        Ok(())
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], ShapeError> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(ShapeError::Short)?;
        self.rest = rest;
        Ok(*taken)
    }
}

fn to_usize(length: u32) -> Result<usize, ShapeError> {
    usize::try_from(length).map_err(|_| ShapeError::Short)
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::RequestKind;

    use super::*;

    #[test]
    fn a_claimed_array_without_elements_is_refused() {
        let claim = i32::MAX.to_be_bytes();
        assert_eq!(check_body(ApiKey::Metadata, 1, &claim), Err(ShapeError::Elements));
        assert_eq!(check_body(ApiKey::Metadata, 1, &1_000i32.to_be_bytes()), Err(ShapeError::Short));
        assert_eq!(check_body(ApiKey::Metadata, 12, &[0xff, 0xff, 0xff, 0xff, 0x0f]), Err(ShapeError::Elements));
    }

    #[test]
    fn a_nested_claim_is_refused() {
        // Fetch 4: replica, wait, least, most, isolation, one topic `t` with i32::MAX partitions
        let mut body = vec![0; 17];
        body.extend_from_slice(&1i32.to_be_bytes());
        body.extend_from_slice(b"\0\x01t");
        body.extend_from_slice(&i32::MAX.to_be_bytes());
        assert_eq!(check_body(ApiKey::Fetch, 4, &body), Err(ShapeError::Elements));
    }

    #[test]
    fn a_known_tag_of_a_wrong_length_is_refused() {
        // Fetch 17: one topic with one partition, whose tag 0 (a uuid) claims 0 bytes
        let mut body = vec![0; 4 + 4 + 4 + 1 + 4 + 4];
        body.push(2);
        body.extend_from_slice(&[0; 16]);
        body.push(2);
        body.extend_from_slice(&[0; 4 + 4 + 8 + 4 + 8 + 4]);
        body.extend_from_slice(&[1, 0, 0]);
        let refused = Err(ShapeError::Tag { tag: 0, expected: 16, found: 0 });
        assert_eq!(check_body(ApiKey::Fetch, 17, &body), refused);
    }

    #[test]
    fn outlines_agree_with_the_codec() {
        for (api, first, last) in crate::broker::dispatch::APIS {
            for version in *first..=*last {
                let body = samples::body(*api, version);
                assert_eq!(check_body(*api, version, &body), Ok(()), "{api:?} {version}");
                let mut bytes = body.into();
                let decoded = RequestKind::decode(*api, &mut bytes, version);
                assert!(decoded.is_ok(), "{api:?} {version}: {decoded:?}");
                assert!(bytes.is_empty(), "{api:?} {version} has {} bytes too many", bytes.len());
            }
        }
    }

    #[test]
    fn damaged_requests_are_refused_or_decoded_and_nothing_worse() {
        for (api, first, last) in crate::broker::dispatch::APIS {
            for version in *first..=*last {
                let body = samples::body(*api, version);
                for position in 0..body.len() {
                    assert!(
                        check_body(*api, version, &body[..position]).is_err(),
                        "{api:?} {version} cut at {position}"
                    );
                    for value in [0, 1, 0x7f, 0x80, 0xff] {
                        let mut damaged = body.clone();
                        damaged[position] = value;
                        if check_body(*api, version, &damaged).is_ok() {
                            drop(RequestKind::decode(*api, &mut damaged.into(), version));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_plain_request_passes() {
        assert_eq!(check_body(ApiKey::Metadata, 1, b"\0\0\0\x01\0\x03abc"), Ok(()));
        assert_eq!(check_body(ApiKey::Metadata, 1, &(-1i32).to_be_bytes()), Ok(()));
    }
}
