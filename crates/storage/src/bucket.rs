//! Making a volume's bucket. On AWS a template does that; a laptop's S3 begins without any.

use std::time::Duration;

use object_store::aws::AwsAuthorizer;
use object_store::client::{HttpClient, HttpConnector, HttpRequest, HttpRequestBody, ReqwestConnector};

use crate::access::{Access, DEFAULT_REGION};
use crate::s3::client_options;
use crate::{S3Volumes, StorageError, Volume};

/// How long an answer may take. A LocalStack that has just been started loads its S3 when it is asked for the first time.
const FIRST_ANSWER: Duration = Duration::from_secs(60);

/// Characters of a refusal that an error repeats.
const MESSAGE_CHARACTERS: usize = 400;

impl S3Volumes {
    /// Creates the volume's bucket unless it exists. Another who creates it at the same time does no harm.
    ///
    /// # Errors
    /// [`StorageError::Unreachable`] if the service does not answer: try again. [`StorageError::Refused`] if it does not
    /// want to, or somebody else has a bucket of that name.
    pub async fn ensure_bucket(&self, volume: &Volume) -> Result<(), StorageError> {
        let (bucket, _) = volume.bucket_and_path()?;
        let access = self.access(volume)?;
        if self.ask(volume, &access, bucket, "HEAD", "").await?.status == 200 {
            return Ok(());
        }
        let region = &access.region;
        // The one region whose buckets are made without naming it.
        let body = if region == DEFAULT_REGION {
            String::new()
        } else {
            format!(
                "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
            )
        };
        let answer = self.ask(volume, &access, bucket, "PUT", &body).await?;
        if matches!(answer.status, 200..=299) || answer.text.contains("BucketAlreadyOwnedByYou") {
            return Ok(());
        }
        if answer.status >= 500 {
            let source = format!("status {}: {}", answer.status, answer.text).into();
            return Err(StorageError::Unreachable { volume: volume.name.clone(), source });
        }
        Err(StorageError::Refused {
            volume: volume.name.clone(),
            bucket: bucket.to_owned(),
            status: answer.status,
            message: answer.text.chars().take(MESSAGE_CHARACTERS).collect(),
        })
    }

    async fn ask(
        &self,
        volume: &Volume,
        access: &Access,
        bucket: &str,
        method: &str,
        body: &str,
    ) -> Result<Answer, StorageError> {
        let client_error = |source| StorageError::Client { volume: volume.name.clone(), source };
        let unreachable = |source: Box<dyn std::error::Error + Send + Sync>| StorageError::Unreachable {
            volume: volume.name.clone(),
            source,
        };
        let aws = format!("https://s3.{}.amazonaws.com", access.region);
        let endpoint = access.endpoint.as_deref().unwrap_or(&aws);
        let wrong_endpoint = || StorageError::Endpoint { volume: volume.name.clone(), endpoint: endpoint.to_owned() };
        if !endpoint.starts_with("http://") && !endpoint.starts_with("https://") {
            return Err(wrong_endpoint());
        }
        let url = access.bucket_url(bucket).unwrap_or_else(|| format!("{endpoint}/{bucket}"));
        let mut request = HttpRequest::new(HttpRequestBody::from(body.to_owned()));
        *request.method_mut() = method.parse().map_err(|_| wrong_endpoint())?;
        *request.uri_mut() = url.parse().map_err(|_| wrong_endpoint())?;

        let credential = self.bucket(volume)?.credentials().get_credential().await.map_err(client_error)?;
        AwsAuthorizer::new(&credential, "s3", &access.region).authorize(&mut request, None);
        let client: HttpClient = ReqwestConnector::default()
            .connect(&client_options(access).with_timeout(FIRST_ANSWER))
            .map_err(client_error)?;
        let response = client.execute(request).await.map_err(|error| unreachable(error.into()))?;
        let status = response.status().as_u16();
        let text = response.into_body().bytes().await.map_err(|error| unreachable(error.into()))?;
        Ok(Answer { status, text: String::from_utf8_lossy(&text).into_owned() })
    }
}

struct Answer {
    status: u16,
    text: String,
}

#[cfg(test)]
mod tests;
