import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, StreamViewType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { EventBus, type IEventBus } from 'aws-cdk-lib/aws-events';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type BucketProps,
  CfnBucket,
  HttpMethods,
  type IBucket,
  StorageClass,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { ARCHIVE_CLASS_TAG, ARCHIVE_CLASSES } from '../../core/contracts/archive.ts';
import { TMP_PREFIX } from '../../core/contracts/keys.ts';
import { INDEXES } from '../../core/contracts/table/keys.ts';
import type { StageProps } from '../parts/stage-props.ts';
import { holdToLifecycle } from './hold-to-lifecycle.ts';

const UNFINISHED_UPLOAD = Duration.days(3);
const TMP_LIFE = Duration.days(7);
const ACCESS_LOG_LIFE = Duration.days(90);

/**
 * Retained when the stack is deleted, except when it could not be created at all: else each failed first deployment would leave a set of
 * them.
 */
const DATA_STAYS = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;

const PRIVATE: BucketProps = {
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  encryption: BucketEncryption.S3_MANAGED,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  removalPolicy: DATA_STAYS,
};

/** The durable resources: the buckets, the table, and the bus for their changes. */
export class Storage extends Construct {
  readonly uploads: IBucket;
  readonly media: IBucket;
  readonly table: Table;
  readonly bus: IEventBus;

  constructor(scope: Construct, id: string, { configuration }: StageProps) {
    super(scope, id);
    const { uploadsBucketName, mediaBucketName, tableName } = configuration;
    // The type assertions are needed because under exactOptionalPropertyTypes the classes of aws-cdk-lib do not match its own interfaces.
    const accessLogs = new Bucket(this, 'AccessLogs', {
      ...PRIVATE,
      lifecycleRules: [{ expiration: ACCESS_LOG_LIFE }],
    }) as IBucket;
    this.uploads = uploadsBucket(this, accessLogs, uploadsBucketName);
    this.media = new Bucket(this, idOf('Media', mediaBucketName), {
      ...PRIVATE,
      ...(mediaBucketName && { bucketName: mediaBucketName }),
      serverAccessLogsBucket: accessLogs,
      serverAccessLogsPrefix: 'media/',
      lifecycleRules: [
        { prefix: TMP_PREFIX, expiration: TMP_LIFE },
        { abortIncompleteMultipartUploadAfter: UNFINISHED_UPLOAD },
      ],
      // CloudFront forwards a browser's preflight: without a rule S3 answers it with 403, whatever headers are added to that.
      cors: [
        {
          allowedOrigins: ['*'],
          allowedMethods: [HttpMethods.GET, HttpMethods.HEAD],
          allowedHeaders: ['*'],
          maxAge: 3600,
        },
      ],
    }) as IBucket;
    this.table = table(this, tableName);
    this.bus = new EventBus(this, 'Bus', { eventBusName: configuration.name }) as IEventBus;
  }
}

/** Versions are kept without limit: a job reads the very version it was made for, and an overwritten original is never lost. */
function uploadsBucket(scope: Construct, accessLogs: IBucket, bucketName: string | undefined): IBucket {
  const bucket = new Bucket(scope, idOf('Uploads', bucketName), {
    ...PRIVATE,
    ...(bucketName && { bucketName }),
    versioned: true,
    serverAccessLogsBucket: accessLogs,
    serverAccessLogsPrefix: 'uploads/',
    lifecycleRules: [
      { abortIncompleteMultipartUploadAfter: UNFINISHED_UPLOAD },
      // By tag: version, ETag and date stay, and no event of a new object is sent. docs/decisions/0502-classes-and-restores.md
      ...ARCHIVE_CLASSES.map((storageClass) => ({
        id: `move-to-${storageClass}`,
        tagFilters: { [ARCHIVE_CLASS_TAG]: storageClass },
        transitions: [{ storageClass: new StorageClass(storageClass), transitionAfter: Duration.days(0) }],
      })),
    ],
    cors: [
      {
        // Presigned URLs are the permission; a browser on any site may use the one it was given.
        allowedOrigins: ['*'],
        allowedMethods: [HttpMethods.PUT],
        allowedHeaders: ['*'],
        exposedHeaders: ['ETag'],
        maxAge: 3600,
      },
    ],
  });
  holdToLifecycle(bucket);
  // Bucket's eventBridgeEnabled would add a custom resource and a function for a single property.
  if (bucket.node.defaultChild instanceof CfnBucket) {
    bucket.node.defaultChild.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
  }
  return bucket as IBucket;
}

/**
 * Another name is another resource, with its own logical id: an existing one can be imported under it while the one before stays in the
 * stack until the next deployment.
 */
function idOf(id: string, name: string | undefined): string {
  return name === undefined ? id : `${id}-${name}`;
}

export function indexArn(table: Table, index: keyof typeof INDEXES): string {
  return `${table.tableArn}/index/${INDEXES[index].name}`;
}

function table(scope: Construct, tableName: string | undefined): Table {
  const made = new Table(scope, idOf('Table', tableName), {
    ...(tableName && { tableName }),
    partitionKey: { name: 'pk', type: AttributeType.STRING },
    sortKey: { name: 'sk', type: AttributeType.STRING },
    billingMode: BillingMode.PAY_PER_REQUEST,
    stream: StreamViewType.NEW_AND_OLD_IMAGES,
    timeToLiveAttribute: 'expiresAt',
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: true,
    removalPolicy: DATA_STAYS,
  });
  for (const index of Object.values(INDEXES)) {
    made.addGlobalSecondaryIndex({
      indexName: index.name,
      partitionKey: { name: index.pk, type: AttributeType.STRING },
      sortKey: { name: index.sk, type: AttributeType.STRING },
      projectionType: ProjectionType.KEYS_ONLY,
    });
  }
  return made;
}
