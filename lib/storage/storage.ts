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
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { TMP_PREFIX } from '../../core/contracts/keys.ts';
import { INDEXES } from '../../core/contracts/rows.ts';

const UNFINISHED_UPLOAD = Duration.days(3);
const TMP_LIFE = Duration.days(7);
const ACCESS_LOG_LIFE = Duration.days(90);

const PRIVATE: BucketProps = {
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  encryption: BucketEncryption.S3_MANAGED,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  removalPolicy: RemovalPolicy.RETAIN,
};

/** What lasts: the buckets, the table, and the bus for what happens to them. */
export class Storage extends Construct {
  readonly uploads: IBucket;
  readonly media: IBucket;
  readonly table: Table;
  readonly bus: IEventBus;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    // The assertions: under exactOptionalPropertyTypes, the classes of aws-cdk-lib do not match its own interfaces.
    const accessLogs = new Bucket(this, 'AccessLogs', {
      ...PRIVATE,
      lifecycleRules: [{ expiration: ACCESS_LOG_LIFE }],
    }) as IBucket;
    this.uploads = uploadsBucket(this, accessLogs);
    this.media = new Bucket(this, 'Media', {
      ...PRIVATE,
      serverAccessLogsBucket: accessLogs,
      serverAccessLogsPrefix: 'media/',
      lifecycleRules: [
        { prefix: TMP_PREFIX, expiration: TMP_LIFE },
        { abortIncompleteMultipartUploadAfter: UNFINISHED_UPLOAD },
      ],
    }) as IBucket;
    this.table = table(this);
    this.bus = new EventBus(this, 'Bus', { eventBusName: 'dropreel' }) as IEventBus;
  }
}

/** Versioned without an end: a job reads the very version it was made for, and an overwritten original is never lost. */
function uploadsBucket(scope: Construct, accessLogs: IBucket): IBucket {
  const bucket = new Bucket(scope, 'Uploads', {
    ...PRIVATE,
    versioned: true,
    serverAccessLogsBucket: accessLogs,
    serverAccessLogsPrefix: 'uploads/',
    lifecycleRules: [{ abortIncompleteMultipartUploadAfter: UNFINISHED_UPLOAD }],
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
  // eventBridgeEnabled of Bucket would bring a custom resource and a function for what is one property.
  if (bucket.node.defaultChild instanceof CfnBucket) {
    bucket.node.defaultChild.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
  }
  return bucket as IBucket;
}

export function indexArn(table: Table, index: keyof typeof INDEXES): string {
  return `${table.tableArn}/index/${INDEXES[index].name}`;
}

function table(scope: Construct): Table {
  const made = new Table(scope, 'Table', {
    partitionKey: { name: 'pk', type: AttributeType.STRING },
    sortKey: { name: 'sk', type: AttributeType.STRING },
    billingMode: BillingMode.PAY_PER_REQUEST,
    stream: StreamViewType.NEW_AND_OLD_IMAGES,
    timeToLiveAttribute: 'expiresAt',
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: true,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  for (const index of Object.values(INDEXES)) {
    made.addGlobalSecondaryIndex({
      indexName: index.name,
      partitionKey: { name: index.pk, type: AttributeType.STRING },
      sortKey: { name: index.sk, type: AttributeType.STRING },
      projectionType: index === INDEXES.todo ? ProjectionType.KEYS_ONLY : ProjectionType.ALL,
    });
  }
  return made;
}
