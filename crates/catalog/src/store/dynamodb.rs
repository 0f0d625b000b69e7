//! The store in one DynamoDB table, and in what speaks its protocol (DynamoDB Local, LocalStack, the embedded server).
//!
//! Requests are repeated here and not by the SDK, since only here is known which answers to a transaction mean "again":
//! it goes out under one token however often it is sent.

mod attempt;
mod client;
mod item;
mod table;

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::error::TransactionCanceledException;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};

use self::attempt::{Failure, classify, retry};
use self::item::{Expression, attributes, item, key_attributes, key_of};
use super::{Action, Condition, Item, Key, Store, Write, WriteOutcome, check_transaction, check_write};
use crate::error::CatalogError;

pub use self::client::DynamoSettings;

/// A [`Store`] in one table with the text keys `pk` and `sk`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct DynamoStore {
    client: Client,
    table: String,
}

impl DynamoStore {
    /// A store in `table`. The client should neither retry, which the store does, nor wait without end.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// A store with a client of its own. Reaches for nothing yet: a wrong endpoint shows at the first request.
    pub async fn connect(settings: &DynamoSettings) -> Self {
        Self::new(client::client(settings).await, &settings.table)
    }

    /// The table's name.
    pub fn table(&self) -> &str {
        &self.table
    }

    async fn put(&self, key: &Key, condition: &Condition, item: &Item) -> Result<WriteOutcome, Failure> {
        let expression = Expression::of(condition);
        let sent = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(attributes(key, item)))
            .set_condition_expression(expression.text)
            .set_expression_attribute_names(expression.names)
            .set_expression_attribute_values(expression.values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match sent {
            Ok(_) => Ok(WriteOutcome::Done),
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
                match error.into_err() {
                    PutItemError::ConditionalCheckFailedException(failed) => condition_failed(0, key, failed.item),
                    other => Err(Failure::Refused(other.to_string())),
                }
            }
            Err(error) => Err(classify(error)),
        }
    }

    async fn delete(&self, key: &Key, condition: &Condition) -> Result<WriteOutcome, Failure> {
        let expression = Expression::of(condition);
        let sent = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key_attributes(key)))
            .set_condition_expression(expression.text)
            .set_expression_attribute_names(expression.names)
            .set_expression_attribute_values(expression.values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match sent {
            Ok(_) => Ok(WriteOutcome::Done),
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
                match error.into_err() {
                    DeleteItemError::ConditionalCheckFailedException(failed) => condition_failed(0, key, failed.item),
                    other => Err(Failure::Refused(other.to_string())),
                }
            }
            Err(error) => Err(classify(error)),
        }
    }

    fn transact_item(&self, write: &Write) -> Result<TransactWriteItem, aws_sdk_dynamodb::error::BuildError> {
        let all_old = ReturnValuesOnConditionCheckFailure::AllOld;
        let expression = Expression::of(&write.condition);
        let builder = TransactWriteItem::builder();
        Ok(match &write.action {
            Action::Put(item) => builder.put(
                Put::builder()
                    .table_name(&self.table)
                    .set_item(Some(attributes(&write.key, item)))
                    .set_condition_expression(expression.text)
                    .set_expression_attribute_names(expression.names)
                    .set_expression_attribute_values(expression.values)
                    .return_values_on_condition_check_failure(all_old)
                    .build()?,
            ),
            Action::Delete => builder.delete(
                Delete::builder()
                    .table_name(&self.table)
                    .set_key(Some(key_attributes(&write.key)))
                    .set_condition_expression(expression.text)
                    .set_expression_attribute_names(expression.names)
                    .set_expression_attribute_values(expression.values)
                    .return_values_on_condition_check_failure(all_old)
                    .build()?,
            ),
            Action::Check => {
                let expression = expression.or_true();
                builder.condition_check(
                    ConditionCheck::builder()
                        .table_name(&self.table)
                        .set_key(Some(key_attributes(&write.key)))
                        .set_condition_expression(expression.text)
                        .set_expression_attribute_names(expression.names)
                        .set_expression_attribute_values(expression.values)
                        .return_values_on_condition_check_failure(all_old)
                        .build()?,
                )
            }
        }
        .build())
    }

    async fn page(
        &self,
        pk: &str,
        prefix: &str,
        after: Option<HashMap<String, AttributeValue>>,
    ) -> Result<Page, Failure> {
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .expression_attribute_names("#pk", item::PK)
            .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
            .set_exclusive_start_key(after);
        // DynamoDB takes no empty text in a condition on a key.
        query = if prefix.is_empty() {
            query.key_condition_expression("#pk = :pk")
        } else {
            query
                .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
                .expression_attribute_names("#sk", item::SK)
                .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
        };
        let output = query.send().await.map_err(classify)?;
        Ok(Page { items: output.items.unwrap_or_default(), after: output.last_evaluated_key })
    }
}

/// At most 1 MB of an answer.
struct Page {
    items: Vec<HashMap<String, AttributeValue>>,
    /// Where the next page begins, if there is one.
    after: Option<HashMap<String, AttributeValue>>,
}

#[async_trait]
impl Store for DynamoStore {
    async fn get(&self, key: &Key) -> Result<Option<Item>, CatalogError> {
        let read = retry("get", || async {
            self.client
                .get_item()
                .table_name(&self.table)
                .set_key(Some(key_attributes(key)))
                .consistent_read(true)
                .send()
                .await
                .map_err(classify)
        })
        .await?;
        read.item.map(|read| item(key, read)).transpose()
    }

    async fn query(&self, pk: &str, prefix: &str) -> Result<Vec<(Key, Item)>, CatalogError> {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = retry("query", || self.page(pk, prefix, after.clone())).await?;
            for attributes in page.items {
                let key = key_of(&attributes)?;
                let item = item(&key, attributes)?;
                found.push((key, item));
            }
            // A page may be empty and yet not be the last.
            after = page.after;
            if after.as_ref().is_none_or(HashMap::is_empty) {
                return Ok(found);
            }
        }
    }

    async fn write(&self, write: Write) -> Result<WriteOutcome, CatalogError> {
        check_write(&write)?;
        retry("write", || async {
            match &write.action {
                Action::Put(item) => self.put(&write.key, &write.condition, item).await,
                Action::Delete | Action::Check => self.delete(&write.key, &write.condition).await,
            }
        })
        .await
    }

    async fn transact(&self, token: &str, writes: Vec<Write>) -> Result<WriteOutcome, CatalogError> {
        check_transaction(token, &writes)?;
        let items = writes.iter().map(|write| self.transact_item(write)).collect::<Result<Vec<_>, _>>();
        let items =
            items.map_err(|error| CatalogError::Refused { operation: "transact", message: error.to_string() })?;
        retry("transact", || async {
            let sent = self
                .client
                .transact_write_items()
                .client_request_token(token)
                .set_transact_items(Some(items.clone()))
                .send()
                .await;
            match sent {
                Ok(_) => Ok(WriteOutcome::Done),
                Err(SdkError::ServiceError(error)) if error.err().is_transaction_canceled_exception() => {
                    match error.into_err() {
                        TransactWriteItemsError::TransactionCanceledException(canceled) => outcome(canceled, &writes),
                        other => Err(Failure::Refused(other.to_string())),
                    }
                }
                Err(error) => Err(classify(error)),
            }
        })
        .await
    }
}

fn condition_failed(
    index: usize,
    key: &Key,
    stored: Option<HashMap<String, AttributeValue>>,
) -> Result<WriteOutcome, Failure> {
    let stored = stored.filter(|attributes| !attributes.is_empty()).map(|attributes| item(key, attributes));
    let stored = stored.transpose().map_err(Failure::Final)?;
    Ok(WriteOutcome::ConditionFailed { index, stored })
}

/// What a cancelled transaction means. A condition that does not hold decides; collisions with others and a lack of
/// throughput pass; anything else is ours to mend.
fn outcome(canceled: TransactionCanceledException, writes: &[Write]) -> Result<WriteOutcome, Failure> {
    let message = canceled.message.clone();
    let mut passes = false;
    let mut refusal = None;
    for (index, (reason, write)) in
        canceled.cancellation_reasons.unwrap_or_default().into_iter().zip(writes).enumerate()
    {
        match reason.code.as_deref() {
            None | Some("None") => {}
            Some("ConditionalCheckFailed") => {
                return condition_failed(index, &write.key, reason.item);
            }
            Some("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded") => passes = true,
            Some(code) => {
                let said = reason.message.unwrap_or_default();
                refusal.get_or_insert_with(|| format!("write {index} of `{}`: {code}: {said}", write.key));
            }
        }
    }
    let message = message.unwrap_or_else(|| "transaction cancelled without a reason".to_owned());
    match refusal {
        Some(refusal) => Err(Failure::Refused(refusal)),
        None if passes => Err(Failure::Again(message.into())),
        None => Err(Failure::Refused(message)),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::CancellationReason;

    use super::*;

    /// The outcome of a transaction that was cancelled with these codes, one a write.
    fn of(codes: &[&str]) -> Result<WriteOutcome, Failure> {
        let reason = |code: &&str| CancellationReason::builder().code(*code).message("said").build();
        let canceled = TransactionCanceledException::builder()
            .message("cancelled")
            .set_cancellation_reasons(Some(codes.iter().map(reason).collect()))
            .build();
        let write = |index: usize| Write {
            key: Key::new("p", index.to_string()),
            condition: Condition::Always,
            action: Action::Delete,
        };
        outcome(canceled, &(0..codes.len()).map(write).collect::<Vec<_>>())
    }

    #[test]
    fn cancelled_transaction_means_what_its_reasons_say() {
        let failed = |index| WriteOutcome::ConditionFailed { index, stored: None };
        assert_eq!(of(&["None", "ConditionalCheckFailed", "ConditionalCheckFailed"]).ok(), Some(failed(1)));
        assert_eq!(of(&["TransactionConflict", "ConditionalCheckFailed"]).ok(), Some(failed(1)));
        for passing in ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"] {
            assert!(matches!(of(&["None", passing]), Err(Failure::Again(_))), "{passing}");
        }
        match of(&["TransactionConflict", "ValidationError"]) {
            Err(Failure::Refused(message)) => {
                assert_eq!(message, "write 1 of `p/1`: ValidationError: said")
            }
            _ => panic!("a refusal was expected"),
        }
        assert!(matches!(of(&["None"]), Err(Failure::Refused(message)) if message == "cancelled"));
    }
}
