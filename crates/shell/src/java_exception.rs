//! Java exceptions as the tools print them: class, message and causes. Stack frames are left out, because there is no
//! Java here whose frames they could be.

/// An exception with what caused it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JavaException {
    class: String,
    message: Option<String>,
    cause: Option<Box<JavaException>>,
}

impl JavaException {
    /// An exception with a message.
    #[must_use]
    pub fn new(class: &str, message: &str) -> JavaException {
        JavaException { class: class.to_owned(), message: Some(message.to_owned()), cause: None }
    }

    /// An exception without a message.
    #[must_use]
    pub fn bare(class: &str) -> JavaException {
        JavaException { class: class.to_owned(), message: None, cause: None }
    }

    /// One of `org.apache.kafka.common.errors`.
    #[must_use]
    pub fn of_kafka(class: &str, message: &str) -> JavaException {
        JavaException::new(&format!("org.apache.kafka.common.errors.{class}"), message)
    }

    /// `org.apache.kafka.common.KafkaException`.
    #[must_use]
    pub fn kafka(message: &str) -> JavaException {
        JavaException::new("org.apache.kafka.common.KafkaException", message)
    }

    /// `org.apache.kafka.common.config.ConfigException`.
    #[must_use]
    pub fn config(message: &str) -> JavaException {
        JavaException::new("org.apache.kafka.common.config.ConfigException", message)
    }

    /// `java.lang.IllegalArgumentException`.
    #[must_use]
    pub fn illegal_argument(message: &str) -> JavaException {
        JavaException::new("java.lang.IllegalArgumentException", message)
    }

    /// The exception that `Integer.parseInt` throws for `text`.
    #[must_use]
    pub fn number_format(text: &str) -> JavaException {
        JavaException::new("java.lang.NumberFormatException", &format!("For input string: \"{text}\""))
    }

    /// The exception that opening a file that is not there throws.
    #[must_use]
    pub fn no_such_file(path: &str) -> JavaException {
        JavaException::new("java.nio.file.NoSuchFileException", path)
    }

    /// The exception with which `Utils.readFileAsString` says that there is no such file.
    #[must_use]
    pub fn unreadable_file(path: &str) -> JavaException {
        let message = format!("Unable to read file {path}");
        JavaException::new("java.io.IOException", &message).caused_by(JavaException::no_such_file(path))
    }

    /// The same exception with a cause.
    #[must_use]
    pub fn caused_by(mut self, cause: JavaException) -> JavaException {
        self.cause = Some(Box::new(cause));
        self
    }

    /// The exception that began it all.
    #[must_use]
    pub fn root(&self) -> &JavaException {
        self.cause.as_deref().map_or(self, JavaException::root)
    }

    /// `getMessage()`; `null` when there is none.
    #[must_use]
    pub fn message(&self) -> &str {
        self.message.as_deref().unwrap_or("null")
    }

    /// `getClass().getName()`.
    #[must_use]
    pub fn class(&self) -> &str {
        &self.class
    }

    /// `toString()`.
    #[must_use]
    pub fn headline(&self) -> String {
        match &self.message {
            Some(message) => format!("{}: {message}", self.class),
            None => self.class.clone(),
        }
    }

    /// The stack trace without its frames: one line for the exception and one for each cause.
    #[must_use]
    pub fn trace(&self) -> Vec<String> {
        let mut lines = vec![self.headline()];
        let mut cause = &self.cause;
        while let Some(exception) = cause {
            lines.push(format!("Caused by: {}", exception.headline()));
            cause = &exception.cause;
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_names_the_exception_and_its_causes() {
        let exception =
            JavaException::kafka("Failed to construct kafka producer").caused_by(JavaException::config("x"));
        let expected = [
            "org.apache.kafka.common.KafkaException: Failed to construct kafka producer",
            "Caused by: org.apache.kafka.common.config.ConfigException: x",
        ];
        assert_eq!(exception.trace(), expected);
        assert_eq!(JavaException::bare("a.B").headline(), "a.B");
    }
}
