"""Payloads for a JSON job with the column `id`: valid, invalid and hostile, each with whether it is valid JSON."""

DEEP = 100_000

# Documents that are valid: an object, possibly odd. The row's id is 1.
VALID = [
    b'{"id":1}', b' \t\r\n{"id":1}\n', b'{"id":1,"x":null}', b'{"id":1,"x":{}}', b'{"id":1,"x":[]}', b'{"id":1,"x":[[[[]]]]}', b'{"id":1,"x":-0}',
    b'{"id":1,"x":0.1e+10}', b'{"id":1,"x":1E-400}', b'{"id":1,"x":1e400}', b'{"id":1,"x":123456789012345678901234567890}', b'{"id":1,"x":"\\u00e9"}',
    b'{"id":1,"x":"\\ud83d\\ude00"}', b'{"id":1,"x":"\\"\\\\\\/\\b\\f\\n\\r\\t"}', '{"id":1,"x":"\u00e9\u2028\U0001f600"}'.encode(), b'{"id":1,"":0}', b'{"id":1,"id":2}',
    b'{"x":"\\u0000","id":1}', b'{"id":1,"x":' + b"[" * 500 + b"]" * 500 + b"}", b'{"id":1,"x":"' + b"a" * 5_000_000 + b'"}', b'{"i\\u0064":1}', b'{"id":1,"x":"\x7f"}',
    b'{"id":1,"x":true,"y":false}', b'{"id":1.0}', b'{"id":"1"}', b'{"id":1e0}',
]

# Texts that are not JSON.
INVALID = [
    b"abc", b"{", b"}", b"[", b"]", b'{"id"', b'{"id":', b'{"id":1', b'{"id":1,', b'{"id":1,}', b'{"id":1]', b'{"id" 1}', b'{"id"::1}', b"{id:1}", b"{'id':1}", b'{"id":01}', b'{"id":+1}',
    b'{"id":.5}', b'{"id":1.}', b'{"id":1.e1}', b'{"id":1e}', b'{"id":1e+}', b'{"id":0x1}', b'{"id":-}', b'{"id":--1}', b'{"id":1 2}', b'{"id":1x}', b'{"id":NaN}', b'{"id":Infinity}', b'{"id":-Infinity}',
    b'{"id":tru}', b'{"id":True}', b'{"id":nul}', b'{"id":nullx}', b'{"id":"a}', b'{"id":1,"x":"\n"}', b'{"id":1,"x":"\t"}', b'{"id":1,"x":"\x00"}', b'{"id":1,"x":"\\x41"}', b'{"id":1,"x":"\\u12"}', b'{"id":1,"x":"\\u12g4"}',
    b'{"id":1,"x":"\\"}', b'{"id":1,"x":"\xff"}', b'{"id":1,"x":"\xc3"}', b'{"id":1,"x":"\xed\xa0\x80"}', b'{"id":1,"x":"\xf4\x90\x80\x80"}', b'{"id":1,"x":"\xc0\xaf"}', b'{"id":1,"\xff":1}', b'\xef\xbb\xbf{"id":1}', b'{"id":1}\x00',
    b'{"id":1}//', b'{"id":1}/**/', b'/**/{"id":1}', b'{"id":1}#', b'{"id":1},{"id":2}', b'{"id":1}}', b'{"id":1}]', b'{"id":1}x', b'{"id":1} {"id":', b'{"id":1,"x":[1,]}', b'{"id":1,"x":[,1]}', b'{"id":1,"x":[1 2]}',
    b'{"id":1,"x":[1,,2]}', b'{"id":1,"x":[}', b'{"id":1,"x":{]}', b'{"id":1,"x":{"a"}}', b'{"id":1,"x":{"a":}}', b'{"id":1,"x":{:1}}', b'{"id":1,"x":{,}}', b'{"id":1,,"x":1}', b'{,"id":1}', b'{"id":1;"x":2}', b'{1:1}', b'{null:1}', b'{"id":1,"x":[1:2]}',
    b"<xml/>", b"id=1", b"1,2,3", b"\x00\x01\x02", b"\xff\xfe{\x00}\x00", b"\x1f\x8b\x08\x00", b"\x00\x00\x00\x00\x01{", b"-", b"+", b'"', b'"abc', b"'abc'", b"NaN", b"undefined", b'{"id":1,"x":"\\ud83d\\u"}', b'{"id":1,"x":1_000}',
    b'{"a":' * 50 + b"1" + b"}" * 49, b"[" * DEEP, b'{"a":' * DEEP, b'{"id":1,"x":' + b"[" * DEEP, b'{"id":1,"x":"' + b"a" * 5_000_000, b"{" * DEEP, b'{"id":1,"x":' + b"9" * 100_000 + b"z}", b'{"x":"\\' + b'"' * 1001,
]

# Valid JSON, but not an object, or deeper than is read: a rejected row as well, and never a crash.
NO_ROW = [b"[]", b'[{"id":1}]', b"1", b'"text"', b"true", b"null", b"[1,2]", b'{"id":1,"x":' + b"[" * DEEP + b"]" * DEEP + b"}", b'{"a":' * DEEP + b"1" + b"}" * DEEP]

# No row at all: an empty value, a tombstone, white space.
EMPTY = [b"", None, b"   ", b"\n"]


def truncations():
    """Every proper prefix of a document with each kind of value; none is JSON but the empty one."""
    whole = '{"id":1,"s":"a\\u00e9\\n\u00e9","n":-1.5e+3,"t":true,"f":false,"z":null,"o":{"k":[1,{"a":"b"}]}}'.encode()
    return [whole[:n] for n in range(1, len(whole))]


def mutations():
    """A structural byte of a small document replaced by another."""
    whole = b'{"id":1,"s":"x","a":[1,2],"o":{"k":3}}'
    places = [i for i, byte in enumerate(whole) if byte in b'{}[]:,"']
    return [whole[:i] + other + whole[i + 1:] for i in places for other in (b"{", b"}", b"[", b"]", b":", b",", b"\x01", b"\xff") if whole[i:i + 1] != other and broken(whole[:i] + other + whole[i + 1:])]


def broken(text):
    """Whether an independent reader finds the text not to be JSON."""
    import json
    try:
        json.loads(text.decode("utf-8"))
        return False
    except (ValueError, RecursionError):
        return True


def all_invalid():
    return INVALID + truncations() + mutations()
