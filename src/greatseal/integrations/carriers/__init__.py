"""What brings parcels to receivers outside: one file a kind, all of them bounded in time, all under one contract test.

| kind | address of a parcel | attributes |
|---|---|---|
| `email` | `to`, or `channel` | `subject`, `html`, `sender_name`, `unsubscribe_url` |
| `webhook` | `url`, `method`, `headers` (a JSON object), `connection_arn`; or `channel` | |
| `syslog`, `command`, `nats`, `amqp`, `kafka` | `channel` | |

`nats`, `amqp` and `kafka` need the extra of that name; their modules are imported when a channel of the kind exists.
"""
