//! JSON objects whose keys keep the order in which they are told, as SHOW prints them.

use std::fmt::Display;

/// A flat JSON object.
#[derive(Debug, Default)]
pub struct Object {
    members: Vec<String>,
}

impl Object {
    /// With a member whose value is a string.
    pub fn text(self, key: &str, value: impl Display) -> Self {
        let value = quoted(&value.to_string());
        self.member(key, &value)
    }

    /// With a member whose value is a number.
    pub fn number(self, key: &str, value: u64) -> Self {
        self.member(key, &value.to_string())
    }

    fn member(mut self, key: &str, value: &str) -> Self {
        self.members.push(format!("{}:{value}", quoted(key)));
        self
    }

    /// `{"a":"b","c":1}`, without any space.
    pub fn print(&self) -> String {
        format!("{{{}}}", self.members.join(","))
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::Object;

    #[test]
    fn members_keep_their_order_and_text_is_escaped() {
        let object = Object::default().text("z", "[\"$.uid\"]").number("a", 5).text("m", true);
        assert_eq!(object.print(), r#"{"z":"[\"$.uid\"]","a":5,"m":"true"}"#);
        assert_eq!(Object::default().print(), "{}");
    }
}
