use std::collections::BTreeMap;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::{BuiltinStorage, Keys, S3Volumes, StorageError, Volume};

/// A server that gives these answers, one a connection, and then the requests it got.
async fn server(answers: &'static [(u16, &'static str)]) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let requests = tokio::spawn(async move {
        let mut requests = Vec::new();
        for (status, body) in answers {
            let (mut connection, _) = listener.accept().await.unwrap();
            requests.push(request(&mut connection).await);
            let answer =
                format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            connection.write_all(answer.as_bytes()).await.unwrap();
        }
        requests
    });
    (endpoint, requests)
}

async fn request(connection: &mut tokio::net::TcpStream) -> String {
    let mut text = String::new();
    loop {
        let mut bytes = [0; 4096];
        let read = connection.read(&mut bytes).await.unwrap();
        text.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return text;
        }
    }
}

fn volumes(endpoint: &str, region: &str) -> S3Volumes {
    S3Volumes::new(BuiltinStorage {
        endpoint: Some(endpoint.to_owned()),
        region: region.to_owned(),
        keys: Some(Keys { access_key: "KEY".to_owned(), secret_key: "secret".to_owned(), session_token: None }),
        aliases: Vec::new(),
    })
}

fn volume() -> Volume {
    Volume {
        name: "v".to_owned(),
        location: "s3://data/some/path".to_owned(),
        properties: BTreeMap::new(),
        enabled: true,
        comment: String::new(),
    }
}

#[tokio::test]
async fn absent_bucket_is_created_with_signed_requests() {
    let (endpoint, requests) = server(&[(404, ""), (200, "")]).await;
    volumes(&endpoint, "us-east-1").ensure_bucket(&volume()).await.unwrap();
    let requests = requests.await.unwrap();
    assert!(requests[0].starts_with("HEAD /data HTTP/1.1\r\n"), "{requests:?}");
    assert!(requests[1].starts_with("PUT /data HTTP/1.1\r\n"), "{requests:?}");
    assert!(requests[1].ends_with("\r\n\r\n"), "{requests:?}");
    for request in &requests {
        let request = request.to_ascii_lowercase();
        assert!(request.contains("\r\nauthorization: aws4-hmac-sha256 credential=key/"), "{request}");
        assert!(!request.contains("secret"), "{request}");
    }
}

#[tokio::test]
async fn bucket_elsewhere_than_in_the_default_region_names_it() {
    let (endpoint, requests) = server(&[(404, ""), (200, "")]).await;
    volumes(&endpoint, "eu-central-1").ensure_bucket(&volume()).await.unwrap();
    let requests = requests.await.unwrap();
    assert!(requests[1].contains("<LocationConstraint>eu-central-1</LocationConstraint>"), "{requests:?}");
}

#[tokio::test]
async fn existing_bucket_is_left_alone() {
    let (endpoint, requests) = server(&[(200, "")]).await;
    volumes(&endpoint, "us-east-1").ensure_bucket(&volume()).await.unwrap();
    assert_eq!(requests.await.unwrap().len(), 1);
}

#[tokio::test]
async fn bucket_that_another_made_meanwhile_is_ours() {
    let (endpoint, _) = server(&[(404, ""), (409, "<Error><Code>BucketAlreadyOwnedByYou</Code></Error>")]).await;
    volumes(&endpoint, "us-east-1").ensure_bucket(&volume()).await.unwrap();
}

#[tokio::test]
async fn bucket_of_somebody_else_is_refused_in_the_service_s_words() {
    let (endpoint, _) = server(&[(404, ""), (409, "<Error><Code>BucketAlreadyExists</Code></Error>")]).await;
    let error = volumes(&endpoint, "us-east-1").ensure_bucket(&volume()).await.unwrap_err();
    assert!(matches!(&error, StorageError::Refused { status: 409, .. }), "{error:?}");
    assert!(error.to_string().contains("BucketAlreadyExists"), "{error}");
}

#[tokio::test]
async fn service_in_trouble_or_absent_is_unreachable() {
    let (endpoint, server) = server(&[(503, ""), (503, "busy")]).await;
    let error = volumes(&endpoint, "us-east-1").ensure_bucket(&volume()).await.unwrap_err();
    assert!(matches!(error, StorageError::Unreachable { .. }), "{error:?}");
    server.await.unwrap();
    let error = volumes(&endpoint, "us-east-1").ensure_bucket(&volume()).await.unwrap_err();
    assert!(matches!(error, StorageError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn endpoint_that_is_no_address_is_named() {
    for endpoint in ["localhost:9000", "", "http://"] {
        let error = volumes(endpoint, "us-east-1").ensure_bucket(&volume()).await.unwrap_err();
        assert!(error.to_string().contains(&format!("`{endpoint}`")), "{error}");
    }
}

#[tokio::test]
async fn volume_with_keys_of_its_own_signs_with_them_at_its_own_endpoint() {
    let (endpoint, requests) = server(&[(404, ""), (200, "")]).await;
    let mut volume = volume();
    for (key, value) in
        [("endpoint", endpoint.as_str()), ("access_key", "OWN"), ("secret_key", "hush"), ("region", "eu-north-1")]
    {
        volume.properties.insert(format!("aws.s3.{key}"), value.to_owned());
    }
    volumes("http://127.0.0.1:1", "us-east-1").ensure_bucket(&volume).await.unwrap();
    let request = requests.await.unwrap()[1].to_ascii_lowercase();
    assert!(request.contains("credential=own/") && request.contains("/eu-north-1/s3/aws4_request"), "{request}");
    assert!(!request.contains("hush"), "{request}");
    assert!(!format!("{volume:?}").contains("hush"), "{volume:?}");
}
