"""Where messages go once they are replayed: every output, its type, its off-ramps and lanes."""

from migrate.sample.truth import Delivery

CUSTODY = Delivery("custody", "custody-record/2", "custody", "express")
FOOTWEAR_OF_CUSTODY = Delivery("footwear", "footwear-impression/1", "nfd", "bulk")
FOOTWEAR = Delivery("impression", "footwear-impression/1", "nfd", "bulk")
ADDRESS = (
    Delivery("address", "address/1", "gazetteer", "standard"),
    Delivery("address", "address/1", "mobile", "bulk"),
)
REQUEST = Delivery("request", "search-request/1", "metsearch", "express")
REPLY = Delivery("reply", "search-reply/1", "metsearch", "express")
EVENT = {
    lane: Delivery("event", "mobile-event/1", "mobile", lane)
    for lane in ("express", "standard", "bulk")
}
SIGHTING = Delivery("event", "mobile-event/1", "metsearch", "standard")
