"""What SQS does not offer yet. Every other operation of the model has a function."""

_MOVING = "dead letters are moved back by receiving them from their queue and sending them again"

NOT_YET = dict.fromkeys(("CancelMessageMoveTask", "ListMessageMoveTasks", "StartMessageMoveTask"), _MOVING)
