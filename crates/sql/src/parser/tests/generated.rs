//! Statements made at random, each of a form that the parser can give.

use penstock_kernel::job::{ColumnItem, LoadClauses, MetadataItem};
use penstock_kernel::metadata::MetadataField;
use penstock_kernel::partitioning::{PartitionExpression, TimeUnit};
use penstock_kernel::table::{ColumnDefault, ColumnType, Distribution, StructField};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::filter::{Comparison, Condition, Limit, Literal, Operator, OrderBy};
use crate::position::{Placed, Position};
use crate::predicate::Predicate;
use crate::statement::*;

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-zA-Z_][a-zA-Z0-9_]{0,8}",
        1 => "[ -~äß\n]{1,8}",
        1 => Just("select".to_owned()),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,12}", "\\PC{0,8}", "[\\\\\"'`%_\n\t\r\u{0}\u{8}\u{1a}]{0,8}"]
}

fn object() -> impl Strategy<Value = ObjectName> {
    (option::of(name()), name()).prop_map(|(database, name)| ObjectName { database, name })
}

fn pairs(least: usize) -> impl Strategy<Value = Pairs> {
    let pair = (text(), text()).prop_map(|(key, value)| Pair { key, value, position: Position::START });
    vec(pair, least..4).prop_map(Pairs)
}

fn column_type() -> impl Strategy<Value = ColumnType> {
    plain_type().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|entry| ColumnType::Array(Box::new(entry))),
            inner.clone().prop_map(|value| ColumnType::Map(Box::new(ColumnType::Int), Box::new(value))),
            vec(inner, 1..4).prop_map(|types| {
                let field = |(place, column_type)| StructField { name: format!("f {place}`"), column_type };
                ColumnType::Struct(types.into_iter().enumerate().map(field).collect())
            }),
        ]
    })
}

fn plain_type() -> impl Strategy<Value = ColumnType> {
    prop_oneof![
        (1..=1_048_576_u32).prop_map(ColumnType::Varbinary),
        Just(ColumnType::Boolean),
        Just(ColumnType::TinyInt),
        Just(ColumnType::SmallInt),
        Just(ColumnType::Int),
        Just(ColumnType::BigInt),
        Just(ColumnType::LargeInt),
        Just(ColumnType::Float),
        Just(ColumnType::Double),
        (1..=38_u8).prop_flat_map(|precision| {
            (0..=precision).prop_map(move |scale| ColumnType::Decimal { precision, scale })
        }),
        (1..=255_u32).prop_map(ColumnType::Char),
        (1..=1_048_576_u32).prop_map(ColumnType::Varchar),
        Just(ColumnType::Date),
        Just(ColumnType::DateTime),
        Just(ColumnType::Json),
    ]
}

fn column() -> impl Strategy<Value = ColumnClause> {
    let default = prop_oneof![text().prop_map(ColumnDefault::Literal), Just(ColumnDefault::CurrentTimestamp)];
    (name(), column_type(), any::<bool>(), option::of(default), option::of(text())).prop_map(
        |(name, column_type, nullable, default, comment)| ColumnClause {
            name,
            column_type,
            nullable,
            default,
            comment,
            position: Position::START,
        },
    )
}

fn create_table() -> impl Strategy<Value = Statement> {
    let distribution = (vec(name(), 0..3), option::of(1..u32::MAX))
        .prop_map(|(hash_columns, buckets)| Distribution { hash_columns, buckets });
    let key = option::of(vec(name(), 1..3));
    let parts = (
        any::<bool>(),
        object(),
        vec(column(), 1..4),
        key,
        option::of(text()),
        option::of(partition_by()),
        option::of(distribution),
        pairs(0),
    );
    parts.prop_map(|(if_not_exists, name, columns, key_columns, comment, partition_by, distribution, properties)| {
        Statement::CreateTable(Box::new(CreateTable {
            if_not_exists,
            name,
            columns,
            key_columns,
            comment,
            partition_by,
            distribution,
            properties,
        }))
    })
}

fn placed<T>(value: T) -> Placed<T> {
    Placed { value, position: Position::START }
}

fn partition_columns() -> impl Strategy<Value = Vec<Placed<String>>> {
    vec(name().prop_map(placed), 1..3)
}

fn batch() -> impl Strategy<Value = BatchClause> {
    let step = prop_oneof![
        any::<u64>().prop_map(Step::Number),
        (any::<u64>(), select(TimeUnit::ALL.to_vec())).prop_map(|(count, unit)| Step::Interval(count, unit))
    ];
    (text(), text(), step).prop_map(|(start, end, step)| BatchClause {
        start: placed(start),
        end: placed(end),
        step: placed(step),
    })
}

fn range_clause() -> impl Strategy<Value = RangeClause> {
    let value = || prop_oneof![text().prop_map(BoundValue::Text), Just(BoundValue::MaxValue)].prop_map(placed);
    let bound = move || vec(value(), 1..3);
    let values = prop_oneof![
        bound().prop_map(RangeValues::LessThan),
        (bound(), bound()).prop_map(|(lower, upper)| RangeValues::Between(lower, upper))
    ];
    prop_oneof![
        (name(), values).prop_map(|(name, values)| RangeClause::One(RangeItem { name: placed(name), values })),
        batch().prop_map(RangeClause::Batch),
    ]
}

fn list_clause() -> impl Strategy<Value = ListClause> {
    (name(), vec(vec(option::of(text()), 1..3).prop_map(placed), 1..3))
        .prop_map(|(name, values)| ListClause { name: placed(name), values })
}

fn partition_by() -> impl Strategy<Value = PartitionBy> {
    let unit = || select(TimeUnit::ALL.to_vec());
    let expression = prop_oneof![
        name().prop_map(PartitionExpression::Column),
        (unit(), name()).prop_map(|(unit, column)| PartitionExpression::DateTrunc { unit, column }),
        (unit(), 1..=u32::MAX, name()).prop_map(|(unit, count, column)| PartitionExpression::TimeSlice {
            column,
            count,
            unit
        }),
    ]
    .prop_map(placed);
    prop_oneof![
        (partition_columns(), vec(range_clause(), 0..3))
            .prop_map(|(columns, partitions)| PartitionBy::Range { columns, partitions }),
        (partition_columns(), vec(list_clause(), 1..3))
            .prop_map(|(columns, partitions)| PartitionBy::List { columns, partitions }),
        (vec(expression, 1..3), vec(batch(), 0..2))
            .prop_map(|(expressions, batches)| PartitionBy::Expressions { expressions, batches }),
    ]
}

fn of_partitions() -> impl Strategy<Value = Statement> {
    let added =
        prop_oneof![range_clause().prop_map(AddedPartition::Range), list_clause().prop_map(AddedPartition::List)];
    let change = prop_oneof![
        (any::<bool>(), added).prop_map(|(if_not_exists, added)| TableChange::AddPartition { if_not_exists, added }),
        (any::<bool>(), vec(name(), 1..3), any::<bool>())
            .prop_map(|(if_exists, names, force)| TableChange::DropPartitions { if_exists, names, force }),
    ];
    prop_oneof![
        (object(), change).prop_map(|(table, change)| Statement::AlterTable(Box::new(AlterTable { table, change }))),
        (object(), option::of(vec(name(), 1..3)))
            .prop_map(|(table, partitions)| Statement::TruncateTable(TruncateTable { table, partitions })),
        (object(), filter()).prop_map(|(table, filter)| Statement::ShowPartitions(ShowPartitions { table, filter })),
    ]
}

fn expression() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("a > 1".to_owned()),
        Just("f(a, 'x,y', [1, 2])".to_owned()),
        Just("`from` = \"a\\\"b\" -- why\n AND c".to_owned()),
        Just("CASE WHEN a THEN 1 ELSE -2.5e3 END".to_owned()),
        Just("EXTRACT(year FROM d) = 2024".to_owned()),
    ]
}

fn clauses() -> impl Strategy<Value = LoadClauses> {
    let item = prop_oneof![
        name().prop_map(ColumnItem::Plain),
        (name(), expression()).prop_map(|(name, expression)| ColumnItem::Assignment { name, expression })
    ];
    let fields: Vec<MetadataField> = MetadataField::all().collect();
    let included =
        (proptest::sample::select(fields), option::of(name())).prop_map(|(field, alias)| MetadataItem { field, alias });
    (
        option::of(vec(item, 1..4)),
        option::of(text()),
        option::of(text()),
        option::of(vec(included, 1..4)),
        option::of(expression()),
        option::of(vec(name(), 1..3)),
    )
        .prop_map(|(columns, column_separator, row_delimiter, metadata, filter, table_partitions)| LoadClauses {
            columns,
            column_separator,
            row_delimiter,
            metadata,
            filter,
            table_partitions,
        })
}

fn create_job() -> impl Strategy<Value = Statement> {
    (object(), name(), clauses(), pairs(0), pairs(0)).prop_map(|(name, table, clauses, properties, source)| {
        Statement::CreateJob(Box::new(CreateRoutineLoad { name, table, clauses, properties, source }))
    })
}

fn alter_job() -> impl Strategy<Value = Statement> {
    (object(), clauses(), pairs(1), option::of(pairs(1))).prop_map(|(name, clauses, properties, source)| {
        Statement::AlterJob(Box::new(AlterRoutineLoad { name, clauses, properties, source }))
    })
}

fn operator() -> impl Strategy<Value = Operator> {
    prop_oneof![
        Just(Operator::Equal),
        Just(Operator::NotEqual),
        Just(Operator::Less),
        Just(Operator::LessOrEqual),
        Just(Operator::Greater),
        Just(Operator::GreaterOrEqual),
    ]
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![text().prop_map(Literal::Text), any::<i64>().prop_map(Literal::Integer)]
}

fn condition() -> impl Strategy<Value = Condition> {
    let comparison = prop_oneof![
        (operator(), literal()).prop_map(|(operator, literal)| Comparison::Compare(operator, literal)),
        (any::<bool>(), text()).prop_map(|(negated, pattern)| Comparison::Like { negated, pattern }),
        (any::<bool>(), vec(literal(), 1..3)).prop_map(|(negated, values)| Comparison::In { negated, values }),
    ];
    (name(), comparison).prop_map(|(column, comparison)| Condition { column, comparison })
}

fn filter() -> impl Strategy<Value = TableFilter> {
    prop_oneof![
        text().prop_map(|like| TableFilter { like: Some(like), conditions: Vec::new() }),
        vec(condition(), 0..3).prop_map(|conditions| TableFilter { like: None, conditions }),
    ]
}

/// A condition that SHOW ROUTINE LOAD takes.
fn job_condition() -> impl Strategy<Value = Condition> {
    let integer = (operator(), any::<i64>())
        .prop_map(|(operator, value)| ("Id", Comparison::Compare(operator, Literal::Integer(value))));
    let texts = (any::<bool>(), vec(text().prop_map(Literal::Text), 1..3))
        .prop_map(|(negated, values)| ("State", Comparison::In { negated, values }));
    let like = text().prop_map(|pattern| ("Name", Comparison::Like { negated: false, pattern }));
    let time = operator().prop_map(|operator| {
        let moment = Literal::Text("2024-06-12 15:51:12".to_owned());
        ("CreateTime", Comparison::Compare(operator, moment))
    });
    prop_oneof![integer, texts, like, time]
        .prop_map(|(column, comparison)| Condition { column: column.to_owned(), comparison })
}

fn show_jobs() -> impl Strategy<Value = Statement> {
    let order = (0..JOB_COLUMNS.len(), any::<bool>())
        .prop_map(|(index, descending)| OrderBy { column: JOB_COLUMNS[index].title.to_owned(), descending });
    let limit = (any::<u64>(), any::<u64>()).prop_map(|(skip, rows)| Limit { skip, rows });
    (
        any::<bool>(),
        option::of(object()),
        option::of(name()),
        vec(job_condition(), 0..3),
        vec(order, 0..3),
        option::of(limit),
    )
        .prop_map(|(all, job, database, conditions, order, limit)| {
            Statement::ShowJobs(ShowRoutineLoad { all, job, database, conditions, order, limit })
        })
}

fn of_tables() -> impl Strategy<Value = Statement> {
    prop_oneof![
        (any::<bool>(), object(), any::<bool>())
            .prop_map(|(if_exists, name, force)| { Statement::DropTable(DropTable { if_exists, name, force }) }),
        (any::<bool>(), option::of(name()), filter())
            .prop_map(|(full, database, filter)| { Statement::ShowTables(ShowTables { full, database, filter }) }),
        (option::of(name()), filter())
            .prop_map(|(database, filter)| { Statement::ShowTableStatus(ShowTableStatus { database, filter }) }),
        (any::<bool>(), object(), filter())
            .prop_map(|(full, table, filter)| { Statement::ShowColumns(ShowColumns { full, table, filter }) }),
        object().prop_map(Statement::ShowIndex),
        object().prop_map(Statement::DescribeTable),
        object().prop_map(Statement::ShowCreateTable),
    ]
}

fn of_databases() -> impl Strategy<Value = Statement> {
    prop_oneof![
        (any::<bool>(), name(), pairs(0)).prop_map(|(if_not_exists, name, properties)| {
            Statement::CreateDatabase(CreateDatabase { if_not_exists, name, properties })
        }),
        (any::<bool>(), name(), any::<bool>())
            .prop_map(|(if_exists, name, force)| { Statement::DropDatabase(DropDatabase { if_exists, name, force }) }),
        filter().prop_map(|filter| Statement::ShowDatabases(ShowDatabases { filter })),
        name().prop_map(Statement::ShowCreateDatabase),
        name().prop_map(Statement::Use),
        Just(Statement::ShowCatalogs),
        option::of(text()).prop_map(|like| Statement::ShowVolumes(ShowVolumes { like })),
        name().prop_map(Statement::DescribeVolume),
        name().prop_map(Statement::SetDefaultVolume),
        (any::<bool>(), name()).prop_map(|(if_exists, name)| Statement::DropVolume(DropVolume { if_exists, name })),
        (any::<bool>(), name(), option::of(text()), pairs(1)).prop_map(|(if_exists, name, comment, properties)| {
            Statement::AlterVolume(AlterVolume { if_exists, name, comment, properties })
        }),
        (any::<bool>(), name(), name(), vec(text(), 1..3), text(), pairs(0)).prop_map(
            |(if_not_exists, name, volume_type, locations, comment, properties)| {
                let type_position = Position::START;
                let volume =
                    CreateVolume { if_not_exists, name, volume_type, type_position, locations, comment, properties };
                Statement::CreateVolume(Box::new(volume))
            }
        ),
    ]
}

fn predicate() -> impl Strategy<Value = Predicate> {
    rejected_condition().prop_map(Predicate::Is).prop_recursive(3, 12, 3, |part| {
        prop_oneof![
            part.clone().prop_filter_map("no two NOTs in a row", |part| match part {
                Predicate::Not(_) => None,
                part => Some(Predicate::Not(Box::new(part))),
            }),
            vec(part.clone(), 2..4).prop_map(Predicate::All),
            vec(part, 2..4).prop_map(Predicate::Any),
        ]
    })
}

fn job_or_definition() -> impl Strategy<Value = JobOrDefinition> {
    prop_oneof![
        object().prop_map(JobOrDefinition::Job),
        create_job().prop_filter_map("a definition", |statement| match statement {
            Statement::CreateJob(definition) => Some(JobOrDefinition::Definition(definition)),
            _ => None,
        }),
    ]
}

fn of_jobs() -> impl Strategy<Value = Statement> {
    prop_oneof![
        object().prop_map(Statement::PauseJob),
        (object(), option::of(predicate()))
            .prop_map(|(job, filter)| Statement::ReplayRejected(ReplayRejected { job, filter })),
        object().prop_map(Statement::ResumeJob),
        object().prop_map(Statement::StopJob),
        object().prop_map(Statement::ShowCreateJob),
        object().prop_map(Statement::ShowVersions),
        object().prop_map(Statement::ShowCoverage),
        object().prop_map(Statement::CheckTable),
        object().prop_map(Statement::ShowFiles),
        option::of(name()).prop_map(Statement::ShowMaintenance),
        job_or_definition().prop_map(Statement::ExplainJob),
        object().prop_map(Statement::ExplainCost),
        (job_or_definition(), option::of(any::<u64>()))
            .prop_map(|(of, records)| Statement::PreviewJob(PreviewRoutineLoad { of, records })),
        (option::of(name()), text())
            .prop_map(|(database, job)| Statement::ShowTasks(ShowRoutineLoadTask { database, job })),
    ]
}

fn rejected_condition() -> impl Strategy<Value = Condition> {
    let comparison = prop_oneof![
        text().prop_map(|text| Comparison::Compare(Operator::NotEqual, Literal::Text(text))),
        (any::<bool>(), text()).prop_map(|(negated, pattern)| Comparison::Like { negated, pattern }),
        any::<bool>().prop_map(|negated| Comparison::IsNull { negated }),
    ];
    comparison.prop_map(|comparison| Condition { column: "column".to_owned(), comparison })
}

pub(super) fn statement() -> impl Strategy<Value = Statement> {
    prop_oneof![
        create_table().boxed(),
        create_job().boxed(),
        alter_job().boxed(),
        show_jobs().boxed(),
        of_tables().boxed(),
        of_partitions().boxed(),
        of_databases().boxed(),
        of_jobs().boxed()
    ]
}
