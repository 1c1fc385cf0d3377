"""The `[legacy.NAME]` part of the plan file. Descriptions and examples here are the reference."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from migrate.core.flow import Fate
from migrate.plan.flow_model import Lane
from migrate.plan.section import Section
from migrate.plan.table_model import TableModel
from migrate.plan.words import Name, RampName, Text, short_for

DeviationKind = Literal["lost", "new", "again", "lane", "unruled"]
Table = Annotated[
    TableModel, BeforeValidator(short_for("path"), json_schema_input_type=str | TableModel)
]


class RulesModel(Section):
    """Rules in a table: a row a rule. A cell that is NULL, or one of `anything`, sets no
    condition."""

    rules: Table = Field(
        description="The table of rules: a query on a store, or a CSV or Parquet file. To read it "
        "claims nothing.",
        examples=[{"store": "isb", "query": "SELECT flow, mtype, endpoint FROM isb_route"}],
    )
    endpoints: Table | None = Field(
        default=None,
        description="A table of endpoints, the first column their name; default: those that rules "
        "lead to.",
        examples=[{"store": "isb", "query": "SELECT endpoint, system FROM isb_endpoint"}],
    )
    endpoint: Text = Field(
        default="endpoint",
        description="Column: where the rule leads to.",
        examples=["target_queue"],
    )
    name: Text | None = Field(
        default=None,
        description="Column: the rule's name; default: what it says.",
        examples=["route_id"],
    )
    order: Text | None = Field(
        default=None, description="Column: the order in which rules are asked.", examples=["seq"]
    )
    enabled: Text | None = Field(
        default=None,
        description="Column: whether the rule is on (1, true, yes, y, on, enabled, active).",
        examples=["is_active"],
    )
    selector: Text | None = Field(
        default=None,
        description="Column: a JMS selector, as ActiveMQ reads it.",
        examples=["filter"],
    )
    lane: Text | None = Field(
        default=None,
        description="Column: a priority that `lanes` translates.",
        examples=["prio_class"],
    )
    equal: dict[Text, Text] = Field(
        default={},
        description="What of a message must equal which column: a legacy column, a header, or what "
        "`flows` says.",
        examples=[{"message_type": "mtype"}],
    )
    like: dict[Text, Text] = Field(
        default={},
        description="What of a message must match the SQL LIKE pattern in which column.",
        examples=[{"origin": "origin_pattern"}],
    )
    at_least: dict[Text, Text] = Field(
        default={},
        description="What of a message must be at least the number in which column.",
        examples=[{"priority": "prio_from"}],
    )
    at_most: dict[Text, Text] = Field(
        default={},
        description="What of a message must be at most the number in which column.",
        examples=[{"priority": "prio_to"}],
    )
    anything: list[str] = Field(
        default=[], description="Texts in a cell that stand for any value.", examples=[["*", ""]]
    )
    first: bool = Field(
        default=False,
        description="Whether only the first rule that matches counts, by `order`.",
        examples=[True],
    )


class DefinitionsModel(Section):
    """RabbitMQ's exchanges, queues and bindings. A message enters at its header
    `rabbitmq.exchange` with `rabbitmq.routing_key`, `CC` and `BCC`."""

    definitions: Text = Field(
        description="File exported by `rabbitmqctl export_definitions`, or `/api/definitions`.",
        examples=["ref/definitions.json"],
    )
    vhost: Text = Field(default="/", description="The virtual host.", examples=["isb"])


class ActiveMQModel(Section):
    """ActiveMQ's virtual and composite destinations, filters and durable subscriptions. A message
    enters at the destination it was sent to."""

    config: Text = Field(description="The broker's configuration.", examples=["ref/activemq.xml"])
    queues: Table | None = Field(
        default=None,
        description="A table of queues that are there besides, the first column their name: "
        "virtual topics send to the queues there are.",
        examples=[{"store": "amq", "query": "SELECT DISTINCT CONTAINER FROM ACTIVEMQ_MSGS"}],
    )
    subscriptions: Table | None = Field(
        default=None,
        description="A table of durable subscriptions: columns CONTAINER, CLIENT_ID, SUB_NAME, "
        "SELECTOR, as ACTIVEMQ_ACKS has them; each is the endpoint `CLIENT_ID:SUB_NAME`.",
        examples=[
            {
                "store": "amq",
                "query": "SELECT CONTAINER, CLIENT_ID, SUB_NAME, SELECTOR FROM ACTIVEMQ_ACKS",
            }
        ],
    )


class ExpectedModel(Section):
    """A deviation that is meant, `[[legacy.NAME.expected]]`: the first entry all of whose keys fit
    declares it."""

    name: Text = Field(
        description="The decision in words, unique in its section.",
        examples=["completed events are archived"],
    )
    reason: Text = Field(
        description="Why it is right.", examples=["a completed event must not wake an off-ramp"]
    )
    authority: Text = Field(description="Who decided.", examples=["CHG0041234/7"])
    kind: DeviationKind | None = Field(
        default=None,
        description="`lost` (reached before, not now), `new` (now, but not before), `again` "
        "(acknowledged before, and delivered again), `lane` (another than the rule's), `unruled` "
        "(acknowledged by an endpoint that no rule leads to).",
        examples=["lost"],
    )
    flow: Name | None = Field(default=None, description="Only of this flow.", examples=["custody"])
    rule: Text | None = Field(
        default=None, description="Only by this legacy rule.", examples=["MOB → METSEARCH"]
    )
    endpoint: Text | None = Field(
        default=None, description="Only of this legacy endpoint.", examples=["METSEARCH"]
    )
    offramp: RampName | None = Field(
        default=None, description="Only of this off-ramp.", examples=["metsearch"]
    )
    output: Name | None = Field(
        default=None, description="Only of messages of this output.", examples=["footwear"]
    )
    fate: Fate | None = Field(
        default=None, description="Only of messages of this fate.", examples=["archived"]
    )
    fate_rule: Text | None = Field(
        default=None, description="Only by this fate rule.", examples=["done"]
    )


class LegacyModel(Section):
    """`[legacy.NAME]`: how a legacy bus routes, for `isb-migrate topology`. Exactly one of
    `tables`, `rabbitmq` and `activemq` says it."""

    flows: dict[Name, dict[Text, Text]] = Field(
        min_length=1,
        description="The flows whose messages it routes, each with what its rules see of them that "
        "the messages do not say themselves.",
        examples=[{"custody": {"flow": "CUST"}, "pnc": {}}],
    )
    endpoints: dict[str, RampName] = Field(
        default={},
        description="Which off-ramp takes the place of which endpoint; a flow's own `endpoints` "
        "come first; default: the same name.",
        examples=[{"NFD": "nfd"}],
    )
    names: dict[Text, Text] = Field(
        default={},
        description="What rules call by another name than the message: the rule's name, and the "
        "legacy column or header.",
        examples=[{"region": "x-region"}],
    )
    lanes: dict[str, Lane] = Field(
        default={},
        description="Which lane stands for which priority of a rule.",
        examples=[{"HIGH": "express"}],
    )
    stands: list[Text] = Field(
        default=[],
        description="Headers that say at which endpoint a message stands; the first it has counts. "
        "Where each endpoint holds a copy of its own, this copy reaches that endpoint alone.",
        examples=[["activemq.subscription", "activemq.container"]],
    )
    tables: RulesModel | None = Field(
        default=None,
        description="Rules in a table.",
        examples=[{"rules": "ref/routes.csv", "equal": {"message_type": "type"}}],
    )
    rabbitmq: DefinitionsModel | None = Field(
        default=None,
        description="RabbitMQ's definitions.",
        examples=[{"definitions": "ref/definitions.json"}],
    )
    activemq: ActiveMQModel | None = Field(
        default=None,
        description="ActiveMQ's configuration.",
        examples=[{"config": "ref/activemq.xml"}],
    )
    expected: list[ExpectedModel] = Field(
        default=[],
        description="Deviations that are meant, each with reason and authority.",
        examples=[
            [
                {
                    "name": "completed",
                    "fate": "archived",
                    "reason": "nobody waits",
                    "authority": "RRD-7.4",
                }
            ]
        ],
    )

    def named_tables(self) -> dict[str, TableModel]:
        """Every table it names, by its key below the section."""
        tables, activemq = self.tables, self.activemq
        places = {
            "tables.rules": tables.rules if tables else None,
            "tables.endpoints": tables.endpoints if tables else None,
            "activemq.queues": activemq.queues if activemq else None,
            "activemq.subscriptions": activemq.subscriptions if activemq else None,
        }
        return {key: table for key, table in places.items() if table is not None}
