/** Of the configuration: an installation under domains of its own. */
export const DOMAINS = {
  deliveryDomain: 'media.example.com',
  deliveryCertificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555',
  apiDomain: 'api.example.com',
  apiCertificateArn: 'arn:aws:acm:eu-west-1:123456789012:certificate/66666666-7777-8888-9999-000000000000',
  cookieDomain: 'example.com',
};
