/** USD for a unit of each thing that AWS bills, in one region. Whoever asks for a bill has them. */
export interface Prices {
  /** By the hour; `spot` is the part of the price of vCPU and memory that Spot costs. */
  fargate: { vcpuHour: number; gbHour: number; diskGbHour: number; spot: number };
  /** By the hour, for each type of instance that a GPU job may run on. */
  gpu: { hours: Readonly<Record<string, number>>; spot: number };
  mediaConvert: { sdMinute: number; hdMinute: number; uhdMinute: number; soundMinute: number };
  lambda: { request: number; gbSecond: number };
  s3: { write: number; read: number };
  dynamoDb: { writeUnit: number; readUnit: number };
  sqs: { request: number };
  eventBridge: { event: number };
  scheduler: { invocation: number };
  httpApi: { request: number };
  address: { hour: number };
}
