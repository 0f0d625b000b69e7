use super::{ColumnBuilder, Outcome, Scratch};
use crate::table::{ColumnType, StructField};
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;

fn array(entry: ColumnType) -> ColumnType {
    ColumnType::Array(Box::new(entry))
}

/// What a text field becomes, printed; `None` if it is invalid.
fn field(column_type: &ColumnType, text: &str) -> Option<String> {
    let mut builder = ColumnBuilder::new(column_type, 1);
    let outcome = builder.append_field_text(text, &mut Scratch::default());
    let column = builder.finish();
    assert_eq!(column.len(), 1, "{text}");
    assert_eq!(column.data_type(), &column_type.arrow(), "{text}");
    (outcome == Outcome::Value).then(|| shown(&column, 0))
}

fn shown(column: &dyn Array, row: usize) -> String {
    if column.is_null(row) {
        return "null".to_owned();
    }
    let each = |column: &dyn Array| (0..column.len()).map(|row| shown(column, row)).collect::<Vec<_>>();
    match column.data_type() {
        arrow_schema::DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        arrow_schema::DataType::Utf8 => format!("'{}'", column.as_string::<i32>().value(row)),
        arrow_schema::DataType::List(_) => format!("[{}]", each(&column.as_list::<i32>().value(row)).join(",")),
        arrow_schema::DataType::Map(..) => {
            let entries = column.as_map().value(row);
            let pairs = each(entries.column(0)).into_iter().zip(each(entries.column(1)));
            format!("{{{}}}", pairs.map(|(key, value)| format!("{key}:{value}")).collect::<Vec<_>>().join(","))
        }
        arrow_schema::DataType::Struct(_) => {
            let fields: Vec<_> = column.as_struct().columns().iter().map(|column| shown(column, row)).collect();
            format!("({})", fields.join(","))
        }
        other => panic!("{other}"),
    }
}

#[test]
fn array_text_is_all_good_or_invalid() {
    let numbers = array(ColumnType::Int);
    let texts = array(ColumnType::Varchar(10));
    let nested = array(array(ColumnType::Int));
    for (column_type, text, expected) in [
        (&numbers, "[1,2,-3]", Some("[1,2,-3]")),
        (&numbers, " [ 1 , null,\"7\" ] ", Some("[1,null,7]")),
        (&numbers, "[]", Some("[]")),
        (&numbers, "[null]", Some("[null]")),
        (&numbers, "[1.9]", Some("[1]")),
        (&numbers, "[2-invalid-number]", None),
        (&numbers, "[999999999999999999999999]", None),
        (&numbers, "[1,,2]", None),
        (&numbers, "[1", None),
        (&numbers, "1]", None),
        (&numbers, "1,2", None),
        (&numbers, "", None),
        (&numbers, "[[1]]", None),
        (&numbers, "[1]]", None),
        (&numbers, "[1,\"]", None),
        (&texts, r#"["apple",null,"pear"]"#, Some("['apple',null,'pear']")),
        (
            &texts,
            r#"["str with left bracket([)","str with dot(,)"]"#,
            Some("['str with left bracket([)','str with dot(,)']"),
        ),
        (&texts, r#"["I""m hungry!",""]"#, Some("['I\"m hungry!','']")),
        (&texts, r#"["a\"b","c\\","\u0041","\d"]"#, Some(r#"['a"b','c\','A','\d']"#)),
        (&texts, "[apple]", None),
        (&texts, "[\"null\"]", Some("['null']")),
        (&nested, "[[1,2],[],null,[null]]", Some("[[1,2],[],null,[null]]")),
        (&nested, "[[1,x]]", None),
    ] {
        assert_eq!(field(column_type, text).as_deref(), expected, "{text}");
    }
}

#[test]
fn map_and_struct_text_needs_no_quotes() {
    let map = ColumnType::Map(Box::new(ColumnType::Varchar(3)), Box::new(ColumnType::Int));
    let keyed = ColumnType::Map(Box::new(ColumnType::Int), Box::new(array(ColumnType::Int)));
    let field_of = |name: &str, column_type| StructField { name: name.to_owned(), column_type };
    let structure = ColumnType::Struct(vec![field_of("a", ColumnType::Int), field_of("b", ColumnType::Varchar(9))]);
    for (column_type, text, expected) in [
        (&map, "{k:1,l:null}", Some("{'k':1,'l':null}")),
        (&map, r#"{"k":1, "l:mn" : 2}"#, None),
        (&map, r#"{"k":1, "l:" : 2}"#, Some("{'k':1,'l:':2}")),
        (&map, "{k:1,k:2}", Some("{'k':1}")),
        (&map, "{}", Some("{}")),
        (&map, "{k}", None),
        (&map, "{k:x}", None),
        (&map, "[1]", None),
        (&keyed, "{1:[2,3],04:[]}", Some("{1:[2,3],4:[]}")),
        (&keyed, "{x:[]}", None),
        (&structure, "{a:1,b:x y}", Some("(1,'x y')")),
        (&structure, r#"{"b":"12:30","z":[1]}"#, Some("(null,'12:30')")),
        (&structure, "{b:12:30}", Some("(null,'12:30')")),
        (&structure, "{}", Some("(null,null)")),
        (&structure, "{a:x}", None),
    ] {
        assert_eq!(field(column_type, text).as_deref(), expected, "{text}");
    }
}

#[test]
fn text_of_any_depth_ends_at_once() {
    let column_type = array(array(ColumnType::Int));
    for depth in [3, 100_000] {
        let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(field(&column_type, &text), None);
    }
}
