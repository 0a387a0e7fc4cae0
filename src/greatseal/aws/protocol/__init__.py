"""The AWS wire: service models, routing, codecs, validation in the service's own wording, and SigV4.

Everything here is driven by botocore's service models (read as data in `models`); no operation, member or
limit of a service is written by hand. One shape walker (`shapes`) serves every codec.
"""
