/** What says so: a page of AWS's documentation, or a measurement on AWS that somebody published. */
const DOCS = 'https://docs.aws.amazon.com/apigateway/latest/developerguide/';
export const LAMBDA = `${DOCS}http-api-develop-integrations-lambda.html`;
export const ROUTES = `${DOCS}http-api-develop-routes.html`;
export const JWT = `${DOCS}http-api-jwt-authorizer.html`;
export const CORS = `${DOCS}http-api-cors.html`;
export const QUOTAS = `${DOCS}http-api-quotas.html`;
export const MEASURED_TYPES = 'measured on AWS: https://github.com/ministackorg/ministack/pull/766';
export const MEASURED_PATHS = 'measured on AWS: https://github.com/middleapi/standard-server/pull/93';
