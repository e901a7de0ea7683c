//! The release's command-line tools: a folder of small programs under the names by which they are called.

use crate::files;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The tools by name, with the classes that they run.
const TOOLS: [(&str, &str); 17] = [
    ("kafka-topics", "org.apache.kafka.tools.TopicCommand"),
    ("kafka-console-producer", "kafka.tools.ConsoleProducer"),
    ("kafka-console-consumer", "org.apache.kafka.tools.consumer.ConsoleConsumer"),
    ("kafka-configs", "kafka.admin.ConfigCommand"),
    ("kafka-reassign-partitions", "org.apache.kafka.tools.reassign.ReassignPartitionsCommand"),
    ("kafka-leader-election", "org.apache.kafka.tools.LeaderElectionCommand"),
    ("kafka-delete-records", "org.apache.kafka.tools.DeleteRecordsCommand"),
    ("kafka-get-offsets", "org.apache.kafka.tools.GetOffsetShell"),
    ("kafka-consumer-groups", "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"),
    ("kafka-metadata-quorum", "org.apache.kafka.tools.MetadataQuorumCommand"),
    ("kafka-features", "org.apache.kafka.tools.FeatureCommand"),
    ("kafka-log-dirs", "org.apache.kafka.tools.LogDirsCommand"),
    ("kafka-broker-api-versions", "kafka.admin.BrokerApiVersionsCommand"),
    ("kafka-dump-log", "kafka.tools.DumpLogSegments"),
    ("kafka-transactions", "org.apache.kafka.tools.TransactionsCommand"),
    ("kafka-storage", "kafka.tools.StorageTool"),
    ("zookeeper-shell", "org.apache.zookeeper.ZooKeeperMainWithTlsSupportForKafka"),
];

/// The logging of Kafka's own `tools-log4j.properties`: warnings, on standard error.
const TOOLS_LOGGING: &str = "log4j.rootLogger=WARN, stderr\n\
    log4j.appender.stderr=org.apache.log4j.ConsoleAppender\n\
    log4j.appender.stderr.layout=org.apache.log4j.PatternLayout\n\
    log4j.appender.stderr.layout.ConversionPattern=[%d] %p %m (%c)%n\n\
    log4j.appender.stderr.Target=System.err\n";

const SERVER_LOGGING: &str = "log4j.rootLogger=INFO, stdout\n\
    log4j.appender.stdout=org.apache.log4j.ConsoleAppender\n\
    log4j.appender.stdout.layout=org.apache.log4j.PatternLayout\n\
    log4j.appender.stdout.layout.ConversionPattern=[%d] %p %m (%c)%n\n";

const JAVA_OPTIONS: [&str; 4] = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"];

/// A command that does not end is ended, with status 124.
const LONGEST_COMMAND_SECONDS: &str = "180";

/// Where the tools are.
pub(crate) struct Tools {
    bin: PathBuf,
    class_path: String,
    server_logging: PathBuf,
}

impl Tools {
    /// Writes the small programs.
    ///
    /// # Errors
    /// If they cannot be written.
    pub(crate) fn prepare(folder: &Path, libraries: &Path) -> Result<Tools, String> {
        let (bin, class_path) = (folder.join("bin"), format!("{}/*", libraries.display()));
        let (tools_logging, server_logging) = (bin.join("tools-log4j.properties"), bin.join("server-log4j.properties"));
        files::write(&tools_logging, TOOLS_LOGGING)?;
        files::write(&server_logging, SERVER_LOGGING)?;
        for (name, class) in TOOLS {
            let program = format!(
                "#!/bin/sh\nexec java {} -Dlog4j.configuration=file:{} -cp '{class_path}' {class} {}\"$@\"\n",
                JAVA_OPTIONS.join(" "),
                tools_logging.display(),
                if name == "zookeeper-shell" { "-server " } else { "" }
            );
            for name in [name.to_owned(), format!("{name}.sh")] {
                files::write_program(&bin.join(name), &program)?;
            }
        }
        Ok(Tools { bin, class_path, server_logging })
    }

    /// A line of a shell that finds the tools.
    pub(crate) fn shell(&self, line: &str) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("timeout");
        command
            .args(["--kill-after=5", LONGEST_COMMAND_SECONDS, "bash", "-c", line])
            .env("PATH", format!("{}:{path}", self.bin.display()));
        command
    }

    /// A server's process.
    pub(crate) fn server(&self, class: &str, properties: &Path) -> Command {
        let mut command = Command::new("java");
        let logging = format!("-Dlog4j.configuration=file:{}", self.server_logging.display());
        command.args(JAVA_OPTIONS).args([&logging, "-cp", &self.class_path, class]).arg(properties);
        command
    }
}
