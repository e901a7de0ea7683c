//! `kafka-features`: the levels that the cluster supports and has agreed on, and changes of them (`FeatureCommand`).

use super::admin_client::NodeChoice;
use super::program::{Call, Next};
use crate::event::{AdminAnswer, AdminFailure, ClientEvent};
use crate::spec::FeaturesAction;
use wire::request::UpdateFeaturesRequest;
use wire::response::{ApiVersionsResponse, UpdateFeaturesResponse};
use wire::{ErrorCode, Request, Response};

/// A `kafka-features` call under way.
#[derive(Clone, Debug)]
pub(super) struct FeaturesTask {
    action: FeaturesAction,
}

impl FeaturesTask {
    /// Nothing has been asked yet.
    pub(super) fn new(action: FeaturesAction) -> FeaturesTask {
        FeaturesTask { action }
    }

    /// The only call.
    pub(super) fn start(&self) -> Next {
        Next::Call(match &self.action {
            FeaturesAction::Describe => {
                Call { name: "describeFeatures", request: Request::ApiVersions, to: NodeChoice::LeastLoaded }
            }
            FeaturesAction::Update { updates, dry_run } => {
                let request = UpdateFeaturesRequest { updates: updates.clone(), validate_only: *dry_run };
                let request = Request::UpdateFeatures(request);
                Call { name: "updateFeatures", request, to: NodeChoice::Controller }
            }
        })
    }

    /// What follows from the answer.
    pub(super) fn on_response(&self, response: Response) -> Next {
        match (&self.action, response) {
            (FeaturesAction::Describe, Response::ApiVersions(response)) => described(response),
            (FeaturesAction::Update { updates, .. }, Response::UpdateFeatures(response)) => {
                if response.error == ErrorCode::NotController {
                    return Next::RetryWithOtherController;
                }
                updated(updates.iter().map(|update| update.feature.clone()).collect(), &response)
            }
            (action, response) => panic!("a broker answered {action:?} with {response:?}"),
        }
    }

    /// Every feature fails for itself.
    pub(super) fn on_failure(&self, failure: AdminFailure) -> Next {
        match &self.action {
            FeaturesAction::Describe => Next::Fail(failure),
            FeaturesAction::Update { updates, .. } => {
                let results = updates.iter().map(|update| (update.feature.clone(), Some(failure.clone())));
                answer(AdminAnswer::FeaturesUpdated(results.collect()))
            }
        }
    }
}

fn described(response: ApiVersionsResponse) -> Next {
    answer(AdminAnswer::Features {
        supported: response.supported_features.to_vec(),
        finalized: response.finalized_features,
        epoch: Some(response.finalized_features_epoch).filter(|epoch| *epoch >= 0),
    })
}

/// An error of the whole request counts for every feature; without results all of them have been set.
fn updated(features: Vec<String>, response: &UpdateFeaturesResponse) -> Next {
    let outcome = |feature: String| {
        let own = response.results.iter().find(|result| result.feature == feature);
        let (error, message) = match own {
            Some(own) if response.error == ErrorCode::None => (own.error, &own.error_message),
            Some(_) | None => (response.error, &response.error_message),
        };
        let message = || message.clone().unwrap_or_else(|| error.message().to_owned());
        let failure = (error != ErrorCode::None).then(|| AdminFailure::Refused { error, message: message() });
        (feature, failure)
    };
    answer(AdminAnswer::FeaturesUpdated(features.into_iter().map(outcome).collect()))
}

fn answer(answer: AdminAnswer) -> Next {
    Next::finish(ClientEvent::AdminAnswered(Box::new(answer)))
}
