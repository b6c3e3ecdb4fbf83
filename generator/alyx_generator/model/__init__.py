"""From a corrected OpenAPI document to the intermediate representation: endpoints, operations and models."""
