"""The door of the AWS wire: what clients of ACM, AWS Private CA and other AWS services knock at.

`door` takes a request through its stages, `protocol` is driven by botocore's service models, which are read as data,
`errors` holds the one table from refusals to modelled errors, and one module a service turns wire parameters into a
room's verb and its result back.
"""
