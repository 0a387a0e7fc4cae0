"""KMS: imported key material and rotation (kms.md 10)."""

from collections.abc import Mapping
from typing import Any

from greatseal.aws import kms_shapes as shapes
from greatseal.aws.door import OperationFunction
from greatseal.aws.kms_asking import KeyAsking
from greatseal.domain.keys.managed.imports import Delivery, KeyImports
from greatseal.domain.keys.managed.rotation import Rotation
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import ValidationFailed

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None

_PAGE = 100


class MaterialOperations:
    """Brings material in and replaces it."""

    def __init__(self, *, asking: KeyAsking, imports: KeyImports, rotation: Rotation) -> None:
        self._asking = asking
        self._imports = imports
        self._rotation = rotation

    def get_parameters_for_import(self, caller: Caller, p: Parameters) -> Result:
        """A wrapping key for a day and for one import."""
        algorithm, wrapping = p["WrappingAlgorithm"], p["WrappingKeySpec"]
        context = {"kms:WrappingAlgorithm": algorithm, "kms:WrappingKeySpec": wrapping}
        key = self._asking.managed(caller, p["KeyId"], context)
        made = self._imports.parameters(caller, key, algorithm, shapes.key_spec(wrapping))
        return {
            "KeyId": key.arn,
            "ImportToken": made.token,
            "PublicKey": made.public_key,
            "ParametersValidTo": made.valid_to,
        }

    def import_key_material(self, caller: Caller, p: Parameters) -> Result:
        """Material that expires, unless the request says that it does not."""
        expires = p.get("ExpirationModel", "KEY_MATERIAL_EXPIRES") == "KEY_MATERIAL_EXPIRES"
        valid_to = p.get("ValidTo")
        context = {"kms:ExpirationModel": shapes.expiration_model(expires)}
        if valid_to is not None:
            context["kms:ValidTo"] = valid_to.strftime("%Y-%m-%dT%H:%M:%SZ")
        key = self._asking.managed(caller, p["KeyId"], context)
        if expires and valid_to is None:
            raise ValidationFailed("A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES")
        if not expires and valid_to is not None:
            raise ValidationFailed(
                "A validTo date cannot be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE"
            )
        kind = p.get("ImportType")
        material_id = self._imports.bring(
            caller,
            key,
            Delivery(
                token=p["ImportToken"],
                wrapped=p["EncryptedKeyMaterial"],
                valid_to=valid_to,
                is_new=None if kind is None else kind == "NEW_KEY_MATERIAL",
                description=p.get("KeyMaterialDescription"),
                material_id=p.get("KeyMaterialId"),
            ),
        )
        return {"KeyId": key.arn, "KeyMaterialId": material_id}

    def delete_imported_key_material(self, caller: Caller, p: Parameters) -> Result:
        """No error when there is none."""
        key = self._asking.managed(caller, p["KeyId"])
        return {"KeyId": key.arn, "KeyMaterialId": self._imports.delete(caller, key, p.get("KeyMaterialId"))}

    def enable_key_rotation(self, caller: Caller, p: Parameters) -> Result:
        """Every 90 to 2560 days; 365 unless said."""
        days = p.get("RotationPeriodInDays")
        context = {} if days is None else {"kms:RotationPeriodInDays": str(days)}
        self._rotation.enable(caller, self._asking.managed(caller, p["KeyId"], context).arn, days)
        return None

    def disable_key_rotation(self, caller: Caller, p: Parameters) -> Result:
        """What was rotated stays."""
        self._rotation.disable(caller, self._asking.managed(caller, p["KeyId"]).arn)
        return None

    def get_key_rotation_status(self, caller: Caller, p: Parameters) -> Result:
        """Works across accounts."""
        key = self._asking.shared(caller, p["KeyId"])
        status = self._rotation.status(key)
        return {
            "KeyId": key.arn,
            "KeyRotationEnabled": status.days is not None,
            "RotationPeriodInDays": status.days,
            "NextRotationDate": status.next_at,
        }

    def list_key_rotations(self, caller: Caller, p: Parameters) -> Result:
        """Those that happened; with ALL_KEY_MATERIAL also the first material and one that waits."""
        key = self._asking.managed(caller, p["KeyId"])
        everything = p.get("IncludeKeyMaterial") == "ALL_KEY_MATERIAL"
        listed = self._rotation.history(
            caller, key, everything=everything, limit=p.get("Limit", _PAGE), marker=p.get("Marker")
        )
        entries = [shapes.rotation(each, key, everything=everything) for each in listed.items]
        return shapes.page("Rotations", entries, listed)

    def rotate_key_on_demand(self, caller: Caller, p: Parameters) -> Result:
        """At once."""
        key = self._asking.managed(caller, p["KeyId"])
        self._rotation.on_demand(caller, key.arn)
        return {"KeyId": key.arn}

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "GetParametersForImport": self.get_parameters_for_import,
            "ImportKeyMaterial": self.import_key_material,
            "DeleteImportedKeyMaterial": self.delete_imported_key_material,
            "EnableKeyRotation": self.enable_key_rotation,
            "DisableKeyRotation": self.disable_key_rotation,
            "GetKeyRotationStatus": self.get_key_rotation_status,
            "ListKeyRotations": self.list_key_rotations,
            "RotateKeyOnDemand": self.rotate_key_on_demand,
        }
