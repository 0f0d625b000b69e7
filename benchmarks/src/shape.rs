//! The shapes: what records look like, and which of it a table takes.

use crate::node::{Node, object, text};
use crate::random::Random;

/// A message format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One document a record.
    Json,
    /// One line a record, fields apart by commas, none quoted.
    Csv,
    /// The Confluent wire format; in files, an object container without compression.
    Avro,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Json, Self::Csv, Self::Avro];

    /// As benchmarks are named.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Avro => "avro",
        }
    }
}

/// What records look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The quick start's clicks: 77 bytes.
    Clicks,
    /// Bids of an auction: 258 bytes.
    Events,
    /// 200 fields, of which 30 are taken.
    Wide,
    /// Four levels, with lists.
    Nested,
    /// 5 kB of text in many languages, of which 15 fields are taken.
    Tweets,
    /// Events, of which one in twenty is not as the table wants it.
    Messy,
}

/// A column of a shape's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnSpec {
    /// Its name.
    pub name: String,
    /// Its type in SQL.
    pub sql: &'static str,
    /// The members that lead to its value, apart by dots.
    pub path: String,
    /// Whether it takes no NULL.
    pub required: bool,
}

/// Fields of wide records.
pub const WIDE_FIELDS: usize = 200;

impl Shape {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Clicks, Self::Events, Self::Wide, Self::Nested, Self::Tweets, Self::Messy];

    /// As benchmarks are named.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clicks => "clicks",
            Self::Events => "events",
            Self::Wide => "wide",
            Self::Nested => "nested",
            Self::Tweets => "tweets",
            Self::Messy => "messy",
        }
    }

    /// Whether the shape can be had in the format: delimited text has no levels, and no record that is none.
    pub fn has(self, format: Format) -> bool {
        match format {
            Format::Json => true,
            Format::Csv => matches!(self, Self::Clicks | Self::Events | Self::Wide | Self::Messy),
            Format::Avro => matches!(self, Self::Clicks | Self::Events | Self::Wide | Self::Nested),
        }
    }

    /// The columns of its table.
    pub fn columns(self) -> Vec<ColumnSpec> {
        let column = |(name, sql, path): &(&str, &'static str, &str)| ColumnSpec {
            name: (*name).to_owned(),
            sql,
            path: (*path).to_owned(),
            required: self == Self::Messy && matches!(*name, "auction" | "price"),
        };
        let fixed: &[(&str, &'static str, &str)] = match self {
            Self::Clicks => &[("uid", "BIGINT", "uid"), ("site", "STRING", "site"), ("vtime", "BIGINT", "vtime")],
            Self::Events | Self::Messy => &[
                ("auction", "BIGINT", "auction"),
                ("bidder", "BIGINT", "bidder"),
                ("price", "BIGINT", "price"),
                ("channel", "STRING", "channel"),
                ("url", "STRING", "url"),
                ("dateTime", "DATETIME", "dateTime"),
                ("extra", "STRING", "extra"),
            ],
            Self::Nested => &[
                ("id", "BIGINT", "id"),
                ("at", "DATETIME", "at"),
                ("customer", "BIGINT", "order.customer.id"),
                ("city", "STRING", "order.customer.address.city"),
                ("lat", "DOUBLE", "order.customer.address.geo.lat"),
                ("lon", "DOUBLE", "order.customer.address.geo.lon"),
                ("total", "DOUBLE", "order.total"),
                ("items", "ARRAY<STRUCT<sku STRING,quantity INT,price DOUBLE>>", "order.items"),
                ("scores", "ARRAY<BIGINT>", "scores"),
                ("tags", "ARRAY<STRING>", "tags"),
            ],
            Self::Tweets => &[
                ("id", "BIGINT", "id"),
                ("created_at", "DATETIME", "created_at"),
                ("text", "STRING", "text"),
                ("lang", "STRING", "lang"),
                ("source", "STRING", "source"),
                ("reply_to", "BIGINT", "in_reply_to_status_id"),
                ("user_id", "BIGINT", "user.id"),
                ("screen_name", "STRING", "user.screen_name"),
                ("location", "STRING", "user.location"),
                ("followers", "INT", "user.followers_count"),
                ("verified", "BOOLEAN", "user.verified"),
                ("retweets", "INT", "retweet_count"),
                ("favorites", "INT", "favorite_count"),
                ("original", "BIGINT", "retweeted_status.id"),
                ("original_user", "STRING", "retweeted_status.user.screen_name"),
            ],
            Self::Wide => {
                return (0..WIDE_FIELDS)
                    .filter(|number| number % 20 < 3)
                    .map(|number| {
                        let name = wide_name(number);
                        let sql = match wide_kind(number) {
                            Kind::Count => "INT",
                            Kind::Id => "BIGINT",
                            Kind::Amount => "DOUBLE",
                            Kind::Word | Kind::Hash => "STRING",
                            Kind::Flag => "BOOLEAN",
                            Kind::At => "DATETIME",
                        };
                        ColumnSpec { path: name.clone(), name, sql, required: false }
                    })
                    .collect();
            }
        };
        fixed.iter().map(column).collect()
    }

    /// Names of all fields of a flat record, in order.
    pub fn fields(self) -> Vec<String> {
        match self {
            Self::Wide => (0..WIDE_FIELDS).map(wide_name).collect(),
            _ => self.columns().into_iter().map(|column| column.path).collect(),
        }
    }

    /// The record of that number.
    pub fn record(self, random: &mut Random, number: u64) -> Node {
        match self {
            Self::Clicks => click(random, number),
            Self::Events | Self::Messy => bid(random, number),
            Self::Wide => Node::Object((0..WIDE_FIELDS).map(|field| wide_field(random, field)).collect()),
            Self::Nested => order(random, number),
            Self::Tweets => tweet(random, number, true),
        }
    }
}

/// 2024-06-12 18:00:00 UTC.
const START_MS: i64 = 1_718_215_200_000;

fn click(random: &mut Random, number: u64) -> Node {
    const SITES: [&str; 6] = [
        "https://www.starrocks.io/",
        "https://www.starrocks.io/blog",
        "https://docs.starrocks.io/",
        "https://www.starrocks.io/product/community",
        "https://www.starrocks.io/resources",
        "https://docs.starrocks.io/quick-start/rt",
    ];
    object([
        ("uid", Node::Long(random.within(1, 10_000))),
        ("site", text(SITES[random.skewed(6) as usize])),
        ("vtime", Node::Long(START_MS / 1000 + number as i64 / 40 + random.within(0, 60))),
    ])
}

fn bid(random: &mut Random, number: u64) -> Node {
    const CHANNELS: [&str; 5] = ["Google", "Facebook", "Baidu", "Apple", "channel-"];
    let mut channel = random.pick(&CHANNELS).to_owned();
    if channel.ends_with('-') {
        channel.push_str(&random.below(10_000).to_string());
    }
    let url = format!(
        "https://www.nexmark.com/{}/{}/item.htm?query=1&channel_id={}",
        random.word(5),
        random.word(4),
        random.below(1 << 30)
    );
    let extra = random.within(50, 86) as usize;
    object([
        ("auction", Node::Long(1000 + (number / 46) as i64 + random.within(0, 100))),
        ("bidder", Node::Long(1000 + random.skewed(60_000) as i64)),
        ("price", Node::Long(random.within(100, 50_000_000))),
        ("channel", text(channel)),
        ("url", text(url)),
        ("dateTime", Node::Moment(START_MS + number as i64 * 3 + random.within(0, 3))),
        ("extra", text(random.word(extra))),
    ])
}

#[derive(Clone, Copy)]
enum Kind {
    Count,
    Id,
    Amount,
    Word,
    Hash,
    Flag,
    At,
}

fn wide_kind(number: usize) -> Kind {
    match number % 7 {
        0 => Kind::Count,
        1 => Kind::Word,
        2 => Kind::Amount,
        3 => Kind::Id,
        4 => Kind::Flag,
        5 => Kind::Hash,
        _ => Kind::At,
    }
}

fn wide_name(number: usize) -> String {
    const STEMS: [&str; 8] = ["metric", "label", "cost", "ref", "is_set", "digest", "updated", "attribute"];
    format!("{}_{number:03}", STEMS[number % STEMS.len()])
}

fn wide_field(random: &mut Random, number: usize) -> (String, Node) {
    const WORDS: [&str; 7] = ["north", "south", "east", "west", "unknown", "in progress", "finished"];
    let node = match wide_kind(number) {
        Kind::Count => Node::Long(random.skewed(100_000) as i64),
        Kind::Word => text(random.pick(&WORDS)),
        Kind::Amount => Node::Cents(random.within(-1_000_000, 100_000_000)),
        Kind::Id => Node::Long(random.within(0, 1 << 50)),
        Kind::Flag => Node::Boolean(random.once_in(3)),
        Kind::Hash => text(random.word(12)),
        Kind::At => Node::Moment(START_MS + random.within(0, 86_400_000)),
    };
    (wide_name(number), node)
}

fn order(random: &mut Random, number: u64) -> Node {
    const CITIES: [&str; 8] = ["Vienna", "Graz", "Zürich", "København", "Beijing", "São Paulo", "New York", "東京"];
    const TAGS: [&str; 6] = ["new", "gift", "express", "returning", "b2b", "fragile"];
    let items = (0..=random.below(4)).map(|_| {
        object([
            ("sku", text(format!("SKU-{:05}", random.skewed(20_000)))),
            ("quantity", Node::Long(random.within(1, 9))),
            ("price", Node::Cents(random.within(99, 100_000))),
            ("discounts", Node::List((0..=random.below(2)).map(|_| Node::Cents(random.within(0, 500))).collect())),
        ])
    });
    let items = Node::List(items.collect());
    let geo = object([
        ("lat", Node::Cents(random.within(-9000, 9000))),
        ("lon", Node::Cents(random.within(-18_000, 18_000))),
    ]);
    let address = object([
        ("street", text(format!("{} street {}", random.word(7), random.below(200)))),
        ("city", text(random.pick(&CITIES))),
        ("zip", text(format!("{:05}", random.below(100_000)))),
        ("geo", geo),
    ]);
    let customer = object([
        ("id", Node::Long(random.within(1, 1_000_000))),
        ("name", text(random.word(11))),
        ("address", address),
    ]);
    object([
        ("id", Node::Long(number as i64)),
        ("at", Node::Moment(START_MS + number as i64 * 7)),
        (
            "order",
            object([("customer", customer), ("items", items), ("total", Node::Cents(random.within(99, 500_000)))]),
        ),
        ("scores", Node::List((0..=random.below(5)).map(|_| Node::Long(random.within(0, 100))).collect())),
        ("tags", Node::List((0..=random.below(3)).map(|_| text(random.pick(&TAGS))).collect())),
    ])
}

fn sentence(random: &mut Random, bytes: usize) -> String {
    const WORDS: [&str; 20] = [
        "the",
        "data",
        "一番面白い",
        "とても",
        "streaming",
        "of",
        "\"quoted\"",
        "latency",
        "と",
        "naïve",
        "über",
        "now",
        "🙂",
        "RT",
        "table",
        "ありがとう",
        "is",
        "faster\n",
        "https://t.co/abc",
        "really",
    ];
    let mut sentence = String::new();
    while sentence.len() < bytes {
        sentence.push_str(random.pick(&WORDS));
        sentence.push(' ');
    }
    sentence
}

fn user(random: &mut Random) -> Node {
    let id = random.within(1, 3_000_000_000);
    let image =
        format!("https://pbs.twimg.com/profile_images/{}/{}_normal.jpeg", random.below(1 << 58), random.word(8));
    let location = if random.once_in(3) { String::new() } else { sentence(random, 12) };
    object([
        ("id", Node::Long(id)),
        ("id_str", text(id.to_string())),
        ("name", text(sentence(random, 10))),
        ("screen_name", text(random.word(11))),
        ("location", text(location)),
        ("description", text(sentence(random, 150))),
        ("url", Node::Null),
        ("entities", object([("description", object([("urls", Node::List(Vec::new()))]))])),
        ("protected", Node::Boolean(false)),
        ("followers_count", Node::Long(random.skewed(1_000_000) as i64)),
        ("friends_count", Node::Long(random.skewed(100_000) as i64)),
        ("listed_count", Node::Long(random.skewed(1000) as i64)),
        ("created_at", text("Sat Aug 23 10:15:00 +0000 2014")),
        ("favourites_count", Node::Long(random.skewed(10_000) as i64)),
        ("utc_offset", Node::Long(32_400)),
        ("time_zone", text("Tokyo")),
        ("geo_enabled", Node::Boolean(random.once_in(2))),
        ("verified", Node::Boolean(random.once_in(20))),
        ("statuses_count", Node::Long(random.skewed(200_000) as i64)),
        ("lang", text("ja")),
        ("profile_background_color", text(random.word(6))),
        ("profile_background_image_url", text("http://abs.twimg.com/images/themes/theme1/bg.png")),
        ("profile_image_url_https", text(image)),
        ("profile_link_color", text(random.word(6))),
        ("profile_use_background_image", Node::Boolean(true)),
        ("default_profile", Node::Boolean(random.once_in(2))),
        ("following", Node::Boolean(false)),
        ("notifications", Node::Boolean(false)),
    ])
}

fn entities(random: &mut Random) -> Node {
    let indices = |random: &mut Random| {
        let from = random.within(0, 100);
        Node::List(vec![Node::Long(from), Node::Long(from + 12)])
    };
    let mentions = (0..random.below(3)).map(|_| {
        let id = random.within(1, 3_000_000_000);
        object([
            ("screen_name", text(random.word(9))),
            ("name", text(sentence(random, 12))),
            ("id", Node::Long(id)),
            ("id_str", text(id.to_string())),
            ("indices", indices(random)),
        ])
    });
    let mentions = Node::List(mentions.collect());
    let media = (0..random.below(2)).map(|_| {
        let id = random.within(1, 1 << 59);
        object([
            ("id", Node::Long(id)),
            ("id_str", text(id.to_string())),
            ("indices", indices(random)),
            ("media_url_https", text(format!("https://pbs.twimg.com/media/{}.jpg", random.word(15)))),
            ("type", text("photo")),
            (
                "sizes",
                object([
                    ("medium", object([("w", Node::Long(600)), ("h", Node::Long(399)), ("resize", text("fit"))])),
                    ("large", object([("w", Node::Long(1024)), ("h", Node::Long(682)), ("resize", text("fit"))])),
                ]),
            ),
        ])
    });
    object([
        ("hashtags", Node::List(Vec::new())),
        ("symbols", Node::List(Vec::new())),
        ("urls", Node::List(Vec::new())),
        ("user_mentions", mentions),
        ("media", Node::List(media.collect())),
    ])
}

fn tweet(random: &mut Random, number: u64, outer: bool) -> Node {
    const LANGUAGES: [&str; 4] = ["ja", "en", "de", "zh"];
    let id = 505_874_900_000_000_000 + number as i64 * 1000 + random.within(0, 1000);
    let reply = if random.once_in(4) { Node::Long(id - random.within(1, 1 << 40)) } else { Node::Null };
    let retweeted = match outer {
        true if !random.once_in(8) => tweet(random, number / 2, false),
        _ => Node::Null,
    };
    object([
        ("metadata", object([("result_type", text("recent")), ("iso_language_code", text("ja"))])),
        ("created_at", Node::Moment(START_MS + number as i64 * 11)),
        ("id", Node::Long(id)),
        ("id_str", text(id.to_string())),
        ("text", text(sentence(random, 140))),
        ("source", text("<a href=\"http://twitter.com/download/iphone\" rel=\"nofollow\">Twitter for iPhone</a>")),
        ("truncated", Node::Boolean(false)),
        ("in_reply_to_status_id", reply),
        ("in_reply_to_user_id", Node::Null),
        ("user", user(random)),
        ("geo", Node::Null),
        ("coordinates", Node::Null),
        ("place", Node::Null),
        ("contributors", Node::Null),
        ("retweeted_status", retweeted),
        ("retweet_count", Node::Long(random.skewed(5000) as i64)),
        ("favorite_count", Node::Long(random.skewed(9000) as i64)),
        ("entities", entities(random)),
        ("favorited", Node::Boolean(false)),
        ("retweeted", Node::Boolean(false)),
        ("possibly_sensitive", Node::Boolean(random.once_in(30))),
        ("lang", text(random.pick(&LANGUAGES))),
    ])
}
