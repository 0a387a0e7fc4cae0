"""What S3 does not offer yet. Every other operation of the model has a function."""

_MULTIPART = (
    "objects are uploaded in one piece, up to the setting server.max_body_bytes; tell the AWS CLI so with "
    "`aws configure set default.s3.multipart_threshold 5GB`"
)
_BUCKET_SETTING = (
    "this setting of buckets does not exist here; storage is for reports, revocation lists and trust stores"
)
_OBJECT_SETTING = (
    "objects have no settings of this kind here; storage is for reports, revocation lists and trust stores"
)
_ENCRYPTION = (
    "what is stored is certificates, lists and reports, which are public; encrypt the disk of the data directory"
)
_DIRECTORY = "directory buckets and their sessions belong to S3 Express"

NOT_YET = {
    **dict.fromkeys(
        (
            "AbortMultipartUpload",
            "CompleteMultipartUpload",
            "CreateMultipartUpload",
            "ListMultipartUploads",
            "ListParts",
            "UploadPart",
            "UploadPartCopy",
        ),
        _MULTIPART,
    ),
    **dict.fromkeys(("DeleteBucketEncryption", "GetBucketEncryption", "PutBucketEncryption"), _ENCRYPTION),
    **dict.fromkeys(("CreateSession", "ListDirectoryBuckets"), _DIRECTORY),
    **dict.fromkeys(
        (
            "CreateBucketMetadataConfiguration",
            "CreateBucketMetadataTableConfiguration",
            "DeleteBucketAnalyticsConfiguration",
            "DeleteBucketCors",
            "DeleteBucketIntelligentTieringConfiguration",
            "DeleteBucketInventoryConfiguration",
            "DeleteBucketLifecycle",
            "DeleteBucketMetadataConfiguration",
            "DeleteBucketMetadataTableConfiguration",
            "DeleteBucketMetricsConfiguration",
            "DeleteBucketReplication",
            "DeleteBucketWebsite",
            "GetBucketAbac",
            "GetBucketAccelerateConfiguration",
            "GetBucketAnalyticsConfiguration",
            "GetBucketCors",
            "GetBucketIntelligentTieringConfiguration",
            "GetBucketInventoryConfiguration",
            "GetBucketLifecycle",
            "GetBucketLifecycleConfiguration",
            "GetBucketLogging",
            "GetBucketMetadataConfiguration",
            "GetBucketMetadataTableConfiguration",
            "GetBucketMetricsConfiguration",
            "GetBucketNotification",
            "GetBucketNotificationConfiguration",
            "GetBucketReplication",
            "GetBucketRequestPayment",
            "GetBucketWebsite",
            "GetObjectLockConfiguration",
            "ListBucketAnalyticsConfigurations",
            "ListBucketIntelligentTieringConfigurations",
            "ListBucketInventoryConfigurations",
            "ListBucketMetricsConfigurations",
            "PutBucketAbac",
            "PutBucketAccelerateConfiguration",
            "PutBucketAnalyticsConfiguration",
            "PutBucketCors",
            "PutBucketIntelligentTieringConfiguration",
            "PutBucketInventoryConfiguration",
            "PutBucketLifecycle",
            "PutBucketLifecycleConfiguration",
            "PutBucketLogging",
            "PutBucketMetricsConfiguration",
            "PutBucketNotification",
            "PutBucketNotificationConfiguration",
            "PutBucketReplication",
            "PutBucketRequestPayment",
            "PutBucketWebsite",
            "PutObjectLockConfiguration",
            "UpdateBucketMetadataAnnotationTableConfiguration",
            "UpdateBucketMetadataInventoryTableConfiguration",
            "UpdateBucketMetadataJournalTableConfiguration",
            "WriteGetObjectResponse",
        ),
        _BUCKET_SETTING,
    ),
    **dict.fromkeys(
        (
            "DeleteObjectAnnotation",
            "DeleteObjectTagging",
            "GetObjectAcl",
            "GetObjectAnnotation",
            "GetObjectAttributes",
            "GetObjectLegalHold",
            "GetObjectRetention",
            "GetObjectTagging",
            "GetObjectTorrent",
            "ListObjectAnnotations",
            "PutObjectAcl",
            "PutObjectAnnotation",
            "PutObjectLegalHold",
            "PutObjectRetention",
            "PutObjectTagging",
            "RenameObject",
            "RestoreObject",
            "SelectObjectContent",
            "UpdateObjectEncryption",
        ),
        _OBJECT_SETTING,
    ),
}
