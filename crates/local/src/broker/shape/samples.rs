//! A small well-formed request of each API and version, made from its outline: one element in every array, `t` for
//! every text, zero for every number.

use super::*;

/// The bytes after the header.
pub(crate) fn body(api: ApiKey, version: i16) -> Vec<u8> {
    let shape = requests::shape(api).unwrap();
    let mut out = Vec::new();
    fields(&mut out, shape.fields, version, version >= shape.flexible_since);
    out
}

fn fields(out: &mut Vec<u8>, items: &[Item], version: i16, flexible: bool) {
    for item in items.iter().filter(|item| (item.since..=item.until).contains(&version)) {
        match item.field {
            Field::Fixed(bytes) => out.resize(out.len() + bytes, 0),
            Field::Text => text(out, flexible),
            Field::Blob => {
                length(out, flexible);
                out.push(b'b');
            }
            Field::List(elements) => {
                length(out, flexible);
                fields(out, elements, version, flexible);
            }
            Field::Texts => {
                length(out, flexible);
                text(out, flexible);
            }
            Field::Fixeds(bytes) => {
                length(out, flexible);
                out.resize(out.len() + bytes, 0);
            }
            Field::Tags(_) => {}
        }
    }
    if flexible {
        out.push(0);
    }
}

fn text(out: &mut Vec<u8>, flexible: bool) {
    out.extend_from_slice(if flexible { b"\x02t" } else { b"\0\x01t" });
}

fn length(out: &mut Vec<u8>, flexible: bool) {
    out.extend_from_slice(if flexible { b"\x02" } else { b"\0\0\0\x01" });
}
