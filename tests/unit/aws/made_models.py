"""Models with the traits that the served services happen not to use."""

from typing import Any

SHAPES: dict[str, Any] = {
    "String": {"type": "string"},
    "Integer": {"type": "integer"},
    "Long": {"type": "long"},
    "Double": {"type": "double"},
    "Boolean": {"type": "boolean"},
    "Blob": {"type": "blob"},
    "Time": {"type": "timestamp"},
    "EpochTime": {"type": "timestamp", "timestampFormat": "unixTimestamp"},
    "Names": {"type": "list", "member": {"shape": "String"}},
    "Numbers": {"type": "list", "member": {"shape": "Integer", "locationName": "number"}},
    "FlatNames": {"type": "list", "member": {"shape": "String"}, "flattened": True},
    "FlatRenamed": {"type": "list", "member": {"shape": "Inner", "locationName": "One"}, "flattened": True},
    "Grid": {"type": "list", "member": {"shape": "Numbers"}},
    "Inner": {
        "type": "structure",
        "members": {"Text": {"shape": "String"}, "Names": {"shape": "Names"}, "At": {"shape": "Time"}},
    },
    "Map": {"type": "map", "key": {"shape": "String"}, "value": {"shape": "Inner"}},
    "FlatMap": {
        "type": "map",
        "key": {"shape": "String", "locationName": "Name"},
        "value": {"shape": "Long", "locationName": "Content"},
        "flattened": True,
    },
    "StringMap": {"type": "map", "key": {"shape": "String"}, "value": {"shape": "String"}},
    "All": {
        "type": "structure",
        "members": {
            "String": {"shape": "String", "locationName": "Renamed"},
            "Integer": {"shape": "Integer"},
            "Long": {"shape": "Long"},
            "Double": {"shape": "Double"},
            "Boolean": {"shape": "Boolean"},
            "Blob": {"shape": "Blob"},
            "Time": {"shape": "Time"},
            "Epoch": {"shape": "EpochTime"},
            "Names": {"shape": "Names"},
            "Numbers": {"shape": "Numbers"},
            "Grid": {"shape": "Grid"},
            "FlatNames": {"shape": "FlatNames"},
            "FlatRenamed": {"shape": "FlatRenamed"},
            "Inner": {"shape": "Inner"},
            "Map": {"shape": "Map"},
            "FlatMap": {"shape": "FlatMap"},
        },
    },
    "Located": {
        "type": "structure",
        "required": ["Label", "Rest"],
        "members": {
            "Label": {"shape": "String", "location": "uri", "locationName": "label"},
            "Rest": {"shape": "String", "location": "uri", "locationName": "rest"},
            "Flag": {"shape": "Boolean", "location": "querystring", "locationName": "flag"},
            "Since": {"shape": "Time", "location": "querystring", "locationName": "since"},
            "Numbers": {"shape": "Numbers", "location": "querystring", "locationName": "n"},
            "Ratio": {"shape": "Double", "location": "querystring", "locationName": "ratio"},
            "Count": {"shape": "Integer", "location": "header", "locationName": "X-Count"},
            "Changed": {"shape": "Time", "location": "header", "locationName": "X-Changed"},
            "Listed": {"shape": "Names", "location": "header", "locationName": "X-Listed"},
            "Meta": {"shape": "StringMap", "location": "headers", "locationName": "X-Meta-"},
            "Name": {"shape": "String"},
            "At": {"shape": "Time"},
        },
    },
    "Search": {
        "type": "structure",
        "members": {
            "Limit": {"shape": "Integer", "location": "querystring", "locationName": "limit"},
            "Filters": {"shape": "StringMap", "location": "querystring"},
        },
    },
    "BlobPayload": {
        "type": "structure",
        "members": {
            "Body": {"shape": "Blob"},
            "Kind": {"shape": "String", "location": "header"},
        },
        "payload": "Body",
    },
    "TextPayload": {"type": "structure", "members": {"Body": {"shape": "String"}}, "payload": "Body"},
    "InnerPayload": {"type": "structure", "members": {"Body": {"shape": "Inner"}}, "payload": "Body"},
    "Answered": {
        "type": "structure",
        "members": {
            "Code": {"shape": "Integer", "location": "statusCode"},
            "Count": {"shape": "Integer", "location": "header", "locationName": "X-Count"},
            "Changed": {"shape": "Time", "location": "header", "locationName": "X-Changed"},
            "Listed": {"shape": "Names", "location": "header", "locationName": "X-Listed"},
            "Meta": {"shape": "StringMap", "location": "headers", "locationName": "x-meta-"},
            "Name": {"shape": "String"},
        },
    },
}


def _operation(name: str, method: str, uri: str, given: str | None, output: str | None, wrapper: str = "") -> Any:
    made: dict[str, Any] = {"name": name, "http": {"method": method, "requestUri": uri}}
    if given:
        made["input"] = {"shape": given}
    if output:
        made["output"] = {"shape": output, **({"resultWrapper": wrapper} if wrapper else {})}
    return made


def _model(protocol: str, *operations: Any) -> Any:
    return {
        "metadata": {
            "apiVersion": "2020-01-01",
            "endpointPrefix": "test",
            "protocol": protocol,
            "serviceId": "Test",
            "xmlNamespace": "https://example.com/?a=1&b=2",
        },
        "operations": {operation["name"]: operation for operation in operations},
        "shapes": SHAPES,
    }


QUERY = _model(
    "query",
    _operation("Wrapped", "POST", "/", "All", "All", "WrappedResult"),
    _operation("Bare", "POST", "/", "All", "All"),
    _operation("Void", "POST", "/", None, None),
)
REST = _model(
    "rest-json",
    _operation("Put", "PUT", "/things/{label}/at/{rest+}", "Located", "Answered"),
    _operation("Search", "GET", "/search", "Search", "Answered"),
    _operation("Upload", "POST", "/upload", "BlobPayload", "BlobPayload"),
    _operation("Say", "POST", "/say", "TextPayload", "TextPayload"),
    _operation("Nest", "POST", "/nest", "InnerPayload", "InnerPayload"),
    _operation("Whole", "POST", "/whole", "All", "All"),
    _operation("Void", "DELETE", "/void", None, None),
)
