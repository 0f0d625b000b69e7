//! The operations of the embedded S3: those of `s3s-fs`, put right where its shortcuts would show.
//!
//! | operation | shortcut of the file system | here |
//! | --- | --- | --- |
//! | GET, HEAD | a directory answers as an object | `NoSuchKey` |
//! | GET | 4 KiB at a time, to the end of the file | what was asked for, in large pieces |
//! | PUT with a wrong checksum | answers `BadDigest`, keeps the object | the object is removed |
//! | LIST with `encoding-type=url` | says that keys are encoded, encodes none | says that they are not |
//! | COPY | writes into the visible file | temporary file and rename, as PUT |
//!
//! One thing is of our own: the first PUT into a bucket makes it, so that a storage volume in a bucket of its own needs no
//! other program.

use std::path::{Path, PathBuf};

use s3s::dto::*;
use s3s::{S3, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;

use super::body::body;

/// Objects as files under one directory, a directory a bucket.
pub(super) struct Objects {
    files: FileSystem,
    root: PathBuf,
}

impl Objects {
    /// Opens `root`, an existing directory, and removes what unfinished writes left there.
    pub(super) fn open(root: &Path) -> Result<Self, std::io::Error> {
        let files = FileSystem::new(root).map_err(|error| std::io::Error::other(format!("{error:?}")))?;
        Ok(Self { files, root: root.to_owned() })
    }

    /// Keys with `..` in them stay within the root: the file system refuses them when it is asked next.
    async fn refuse_directory(&self, bucket: &str, key: &str) -> S3Result<()> {
        let path = self.root.join(bucket).join(key.trim_start_matches('/'));
        match tokio::fs::metadata(&path).await {
            Ok(found) if found.is_dir() => Err(s3_error!(NoSuchKey)),
            _ => Ok(()),
        }
    }

    /// Makes the bucket if it is absent. The protocol's parser has let through nothing but bucket names.
    async fn ensure_bucket(&self, bucket: &str) -> S3Result<()> {
        let plain = bucket.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
        if plain && !bucket.starts_with('.') {
            tokio::fs::create_dir_all(self.root.join(bucket)).await.map_err(|error| s3_error!(error, InternalError))?;
        }
        Ok(())
    }

    async fn get(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let GetObjectInput { bucket, key, range, .. } = &request.input;
        self.refuse_directory(bucket, key).await?;
        let (path, range) = (self.root.join(bucket).join(key), *range);
        let mut answer = self.files.get_object(request).await?;
        // What it refuses, it has refused by now: keys that lead out of the root, too.
        answer.output.body = Some(body(path, range).await?);
        Ok(answer)
    }

    async fn put(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        self.ensure_bucket(&bucket).await?;
        let answer = self.files.put_object(request).await;
        if let Err(error) = &answer
            && matches!(error.code(), S3ErrorCode::BadDigest)
        {
            let path = self.root.join(&bucket).join(&key);
            if let Err(error) = tokio::fs::remove_file(&path).await {
                tracing::warn!(bucket, key, %error, "an object with a wrong checksum cannot be removed");
            }
        }
        answer
    }

    async fn copy(&self, request: S3Request<CopyObjectInput>) -> S3Result<S3Response<CopyObjectOutput>> {
        let input = &request.input;
        let CopySource::Bucket { bucket, key, .. } = &input.copy_source else {
            return Err(s3_error!(NotImplemented));
        };
        let conditional = input.copy_source_if_match.is_some()
            || input.copy_source_if_none_match.is_some()
            || input.copy_source_if_modified_since.is_some()
            || input.copy_source_if_unmodified_since.is_some();
        if conditional {
            return Err(s3_error!(NotImplemented, "conditional copies are not implemented"));
        }
        let mut from = GetObjectInput::builder();
        from.set_bucket(bucket.to_string()).set_key(key.to_string());
        let from = from.build().map_err(|error| s3_error!(error, InvalidRequest))?;
        let source = self.get_object(request.clone().map_input(|_| from)).await?.output;

        let mut to = PutObjectInput::builder();
        to.set_bucket(input.bucket.clone()).set_key(input.key.clone()).set_body(source.body);
        if input.metadata_directive.as_ref().is_some_and(|given| given.as_str() == MetadataDirective::REPLACE) {
            to.set_metadata(input.metadata.clone()).set_content_type(input.content_type.clone());
        } else {
            to.set_metadata(source.metadata).set_content_type(source.content_type);
        }
        let to = to.build().map_err(|error| s3_error!(error, InvalidRequest))?;
        let mut put = request.clone().map_input(|_| to);
        put.trailing_headers = None;
        let put = self.files.put_object(put).await?.output;
        Ok(S3Response::new(CopyObjectOutput {
            copy_object_result: Some(CopyObjectResult {
                e_tag: put.e_tag,
                last_modified: Some(std::time::SystemTime::now().into()),
                ..CopyObjectResult::default()
            }),
            ..CopyObjectOutput::default()
        }))
    }
}

/// Writes the whole implementation, so that the attribute sees functions and not macro calls.
macro_rules! operations {
    ($($name:ident($input:ident) -> $output:ident;)*) => {
        #[async_trait::async_trait]
        impl S3 for Objects {
            $(
                async fn $name(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                    self.files.$name(request).await
                }
            )*

            async fn list_objects(
                &self,
                mut request: S3Request<ListObjectsInput>,
            ) -> S3Result<S3Response<ListObjectsOutput>> {
                request.input.encoding_type = None;
                self.files.list_objects(request).await
            }

            async fn list_objects_v2(
                &self,
                mut request: S3Request<ListObjectsV2Input>,
            ) -> S3Result<S3Response<ListObjectsV2Output>> {
                request.input.encoding_type = None;
                self.files.list_objects_v2(request).await
            }

            async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
                self.get(request).await
            }

            async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
                self.refuse_directory(&request.input.bucket, &request.input.key).await?;
                self.files.head_object(request).await
            }

            async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
                self.put(request).await
            }

            async fn copy_object(&self, request: S3Request<CopyObjectInput>) -> S3Result<S3Response<CopyObjectOutput>> {
                self.copy(request).await
            }
        }
    };
}

operations! {
    create_bucket(CreateBucketInput) -> CreateBucketOutput;
    delete_bucket(DeleteBucketInput) -> DeleteBucketOutput;
    delete_object(DeleteObjectInput) -> DeleteObjectOutput;
    delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput;
    get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput;
    head_bucket(HeadBucketInput) -> HeadBucketOutput;
    list_buckets(ListBucketsInput) -> ListBucketsOutput;
    create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput;
    upload_part(UploadPartInput) -> UploadPartOutput;
    upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput;
    list_parts(ListPartsInput) -> ListPartsOutput;
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput;
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput;
}
