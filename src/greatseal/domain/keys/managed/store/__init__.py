"""The tables of KMS: keys, their materials, aliases, grants, imports and custom key stores."""
