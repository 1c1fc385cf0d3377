"""Readers of legacy stores: one file or folder a kind, one line here."""

STORES = {
    "sql": "extractors.sql:SqlStore",
    "files": "extractors.files:FilesStore",
    "kept": "extractors.kept:KeptStore",
    "artemis-export": "extractors.artemis:ArtemisExportStore",
    "ibmmq-dump": "extractors.ibmmq:IbmMqDumpStore",
    "activemq-jdbc": "extractors.activemq.jdbc:JdbcStore",
    "activemq-browse": "extractors.activemq.browse:BrowseStore",
    "activemq-kahadb": "extractors.activemq.kahadb:KahaDbStore",
    "rabbitmq-queue": "extractors.rabbitmq:QueueStore",
}
