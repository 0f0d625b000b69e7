//! The table itself. A deployment's template makes it; a laptop makes it at start.

use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableStatus,
};
use tokio::time::Instant;

use super::DynamoStore;
use super::attempt::{Failure, classify, retry};
use super::item::{PK, SK};
use crate::error::CatalogError;

/// How long a new table may take.
const PATIENCE: Duration = Duration::from_secs(60);

const LONGEST_WAIT: Duration = Duration::from_secs(1);

impl DynamoStore {
    /// Whether the table exists, in whatever state.
    pub async fn table_exists(&self) -> Result<bool, CatalogError> {
        Ok(self.table_status().await?.is_some())
    }

    /// Creates the table unless it exists, paid by the request, and returns once it can be used.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`] also if it is not ready within a minute.
    pub async fn create_table_if_absent(&self) -> Result<(), CatalogError> {
        let began = Instant::now();
        let mut wait = Duration::from_millis(20);
        loop {
            match self.table_status().await? {
                Some(TableStatus::Active) => return Ok(()),
                Some(_) => {}
                None => self.create_table().await?,
            }
            if began.elapsed() > PATIENCE {
                let source = format!("table `{}` is not ready after {} s", self.table, PATIENCE.as_secs()).into();
                return Err(CatalogError::Unavailable { operation: "create table", source });
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    async fn table_status(&self) -> Result<Option<TableStatus>, CatalogError> {
        retry("describe table", || async {
            match self.client.describe_table().table_name(&self.table).send().await {
                Ok(output) => Ok(output.table.and_then(|table| table.table_status)),
                Err(SdkError::ServiceError(error)) if error.err().is_resource_not_found_exception() => Ok(None),
                Err(error) => Err(classify(error)),
            }
        })
        .await
    }

    async fn create_table(&self) -> Result<(), CatalogError> {
        retry("create table", || async {
            let mut request =
                self.client.create_table().table_name(&self.table).billing_mode(BillingMode::PayPerRequest);
            for (name, kind) in [(PK, KeyType::Hash), (SK, KeyType::Range)] {
                let attribute =
                    AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build();
                let key = KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
                request = request
                    .attribute_definitions(attribute.map_err(|error| Failure::Refused(error.to_string()))?)
                    .key_schema(key.map_err(|error| Failure::Refused(error.to_string()))?);
            }
            match request.send().await {
                Ok(_) => Ok(()),
                // Somebody else was faster.
                Err(SdkError::ServiceError(error)) if error.err().is_resource_in_use_exception() => Ok(()),
                Err(error) => Err(classify(error)),
            }
        })
        .await
    }
}
