//! Proof of a password without sending it: `mysql_native_password` and `caching_sha2_password`.
//!
//! Both mix a hash of the password with the salt of this connection. Since the gateway knows the password itself, it
//! can check the short proof of `caching_sha2_password` always, and never needs its long way with TLS or RSA.

use rand::RngExt as _;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::settings::Secret;

/// Random bytes that a proof is only good for once. No NUL and no `$`, which some clients cannot take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Salt(pub(crate) [u8; 20]);

impl Salt {
    pub(crate) fn random() -> Self {
        let mut random = rand::rng();
        Self(std::array::from_fn(|_| {
            loop {
                let byte: u8 = random.random_range(1..0x80);
                if byte != b'$' {
                    return byte;
                }
            }
        }))
    }
}

/// How a client proves its password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plugin {
    NativePassword,
    CachingSha2,
}

impl Plugin {
    /// What the greeting names. Clients of MySQL 9 know nothing else, and those that do not know it answer with
    /// `mysql_native_password` of their own accord.
    pub(crate) const DEFAULT: Self = Self::CachingSha2;

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NativePassword => "mysql_native_password",
            Self::CachingSha2 => "caching_sha2_password",
        }
    }

    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        [Self::NativePassword, Self::CachingSha2].into_iter().find(|plugin| plugin.name().as_bytes() == name)
    }

    /// Whether `proof` shows knowledge of `password`. Takes the same time however wrong it is.
    pub(crate) fn accepts(self, salt: Salt, proof: &[u8], password: Option<&Secret>) -> bool {
        match password.map(Secret::expose).filter(|password| !password.is_empty()) {
            None => is_empty(proof),
            Some(password) => self.proof(salt, password.as_bytes()).ct_eq(proof).into(),
        }
    }

    fn proof(self, Salt(salt): Salt, password: &[u8]) -> Vec<u8> {
        match self {
            Self::NativePassword => {
                let once = Sha1::digest(password);
                let salted = Sha1::new().chain_update(salt).chain_update(Sha1::digest(once)).finalize();
                xor(&once, &salted)
            }
            Self::CachingSha2 => {
                let once = Sha256::digest(password);
                let twice = Sha256::digest(once);
                xor(&once, &Sha256::new().chain_update(twice).chain_update(salt).finalize())
            }
        }
    }
}

/// Whether a proof says that there is no password: nothing, or the NUL that `caching_sha2_password` sends.
pub(crate) fn is_empty(proof: &[u8]) -> bool {
    matches!(proof, [] | [0])
}

fn xor(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: Salt = Salt(*b"abcdefghijklmnopqrst");

    #[test]
    fn proofs_are_those_of_the_protocol() {
        // Made with PyMySQL's `_auth.scramble_native_password` and `_auth.scramble_caching_sha2`.
        for (plugin, proof) in [
            (Plugin::NativePassword, "8817c50fa779daef010ee7577825b0847df9842e"),
            (Plugin::CachingSha2, "c76e2898612a4cf042c77fa8c4702c4c64c0c2c557c53c4d75595aaa6abae809"),
        ] {
            let found: String = plugin.proof(SALT, b"secret").iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(found, proof);
        }
    }

    #[test]
    fn only_the_right_password_is_accepted() {
        let secret = Secret::new("secret");
        for plugin in [Plugin::NativePassword, Plugin::CachingSha2] {
            let right = plugin.proof(SALT, b"secret");
            assert!(plugin.accepts(SALT, &right, Some(&secret)));
            assert!(!plugin.accepts(SALT, &plugin.proof(SALT, b"Secret"), Some(&secret)));
            assert!(!plugin.accepts(Salt([7; 20]), &right, Some(&secret)), "the salt must count");
            assert!(!plugin.accepts(SALT, &[], Some(&secret)));
            assert!(!plugin.accepts(SALT, &right[..19], Some(&secret)));
            assert!(!plugin.accepts(SALT, &right, None));
            for nothing in [&[][..], &[0]] {
                assert!(plugin.accepts(SALT, nothing, None));
            }
        }
    }

    #[test]
    fn salts_differ_and_hold_no_forbidden_byte() {
        let (a, b) = (Salt::random(), Salt::random());
        assert_ne!(a, b);
        for byte in a.0.into_iter().chain(b.0) {
            assert!((1..0x80).contains(&byte) && byte != b'$');
        }
    }
}
