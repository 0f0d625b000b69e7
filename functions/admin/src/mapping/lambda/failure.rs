//! What a failed request to Lambda means.

use std::error::Error;

use aws_sdk_lambda::config::http::HttpResponse;
use aws_sdk_lambda::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

use crate::mapping::MappingError;

/// Why a request gave no outcome.
#[derive(Debug)]
pub(super) enum Failure {
    /// It is there already.
    Exists,
    /// It is not there; in Lambda's words.
    Missing(String),
    /// An earlier change of it is still under way.
    Busy(Box<dyn Error + Send + Sync>),
    /// Lambda does not answer, or asks to wait.
    Unavailable(Box<dyn Error + Send + Sync>),
    /// Lambda does not want it; in its words.
    Refused(String),
}

impl Failure {
    pub(super) fn into_error(self) -> MappingError {
        match self {
            Self::Busy(source) | Self::Unavailable(source) => MappingError::Unavailable { source },
            Self::Exists => MappingError::Refused { message: "it exists already".to_owned() },
            Self::Missing(message) | Self::Refused(message) => MappingError::Refused { message },
        }
    }
}

pub(super) fn classify<E>(error: SdkError<E, HttpResponse>) -> Failure
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    match &error {
        SdkError::ServiceError(service) => {
            let (metadata, status) = (service.err().meta(), service.raw().status());
            let code = metadata.code().unwrap_or_default();
            let message = metadata.message().unwrap_or(code);
            match code {
                "ResourceConflictException" => Failure::Exists,
                "ResourceNotFoundException" => Failure::Missing(message.to_owned()),
                "ResourceInUseException" | "ResourceNotReadyException" => Failure::Busy(Box::new(error)),
                "TooManyRequestsException" | "ServiceException" => Failure::Unavailable(Box::new(error)),
                _ if status.is_server_error() => Failure::Unavailable(Box::new(error)),
                _ => Failure::Refused(format!("{code}: {message}")),
            }
        }
        SdkError::ConstructionFailure(_) => Failure::Refused(DisplayErrorContext(&error).to_string()),
        SdkError::DispatchFailure(dispatch) if dispatch.is_user() => {
            Failure::Refused(DisplayErrorContext(&error).to_string())
        }
        _ => Failure::Unavailable(Box::new(error)),
    }
}
