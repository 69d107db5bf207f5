/**
 * A template with one function behind a function URL, and a queue to which it sends each request with its answer. The function answers
 * 500 to the first delivery of the first event of each container of its own, then 200: a second container refuses once more, which
 * dropreel's retries survive.
 */
export function receiverTemplate(): object {
  return {
    Description: 'dropreel verify-deployment: receives webhooks for some minutes',
    Resources: {
      Inbox: { Type: 'AWS::SQS::Queue', Properties: { SqsManagedSseEnabled: true, MessageRetentionPeriod: 3600 } },
      Role: {
        Type: 'AWS::IAM::Role',
        Properties: {
          AssumeRolePolicyDocument: {
            Version: '2012-10-17',
            Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
          },
          Policies: [
            {
              PolicyName: 'inbox',
              PolicyDocument: {
                Version: '2012-10-17',
                Statement: [
                  { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: { 'Fn::GetAtt': ['Inbox', 'Arn'] } },
                ],
              },
            },
          ],
        },
      },
      Receiver: {
        Type: 'AWS::Lambda::Function',
        Properties: {
          Runtime: 'nodejs24.x',
          Handler: 'index.handler',
          Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
          Timeout: 10,
          Environment: { Variables: { INBOX: { Ref: 'Inbox' } } },
          Code: { ZipFile: RECEIVER_SOURCE },
        },
      },
      Address: {
        Type: 'AWS::Lambda::Url',
        Properties: { AuthType: 'NONE', TargetFunctionArn: { 'Fn::GetAtt': ['Receiver', 'Arn'] } },
      },
      // A public function URL needs both: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
      MayBeCalled: {
        Type: 'AWS::Lambda::Permission',
        Properties: {
          FunctionName: { Ref: 'Receiver' },
          Principal: '*',
          Action: 'lambda:InvokeFunctionUrl',
          FunctionUrlAuthType: 'NONE',
        },
      },
      MayBeInvoked: {
        Type: 'AWS::Lambda::Permission',
        Properties: {
          FunctionName: { Ref: 'Receiver' },
          Principal: '*',
          Action: 'lambda:InvokeFunction',
          InvokedViaFunctionUrl: true,
        },
      },
    },
    Outputs: {
      Url: { Value: { 'Fn::GetAtt': ['Address', 'FunctionUrl'] } },
      Inbox: { Value: { Ref: 'Inbox' } },
    },
  };
}

/** CommonJS, because a ZipFile is index.js. At most 4 MiB; the runtime brings the SDK. */
const RECEIVER_SOURCE = `
const { SQSClient, SendMessageCommand } = require('@aws-sdk/client-sqs');
const sqs = new SQSClient({});
let refused = false;
exports.handler = async ({ headers, body = '', isBase64Encoded }) => {
  const text = isBase64Encoded ? Buffer.from(body, 'base64').toString('utf8') : body;
  const isEvent = String(JSON.parse(text).type).startsWith('media.');
  const statusCode = isEvent && !refused ? 500 : 200;
  if (isEvent) refused = true;
  const MessageBody = JSON.stringify({ headers, body: text, status: statusCode });
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.INBOX, MessageBody }));
  return { statusCode };
};
`;
