import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';

const XML = { 'content-type': 'text/xml' };

/** The two AWS calls that a plan of the module makes, in AWS's query protocol: whose account it is, and what a type has. */
export class FakeAws {
  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<FakeAws> {
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const answer = ANSWERS[new URLSearchParams(body).get('Action') ?? ''];
        response.writeHead(answer === undefined ? 400 : 200, XML).end(answer ?? '<ErrorResponse/>');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new FakeAws(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }
}

const PERMISSION = JSON.stringify({
  typeName: 'AWS::Lambda::Permission',
  description: 'A permission',
  properties: {
    FunctionName: { type: 'string' },
    Action: { type: 'string' },
    Principal: { type: 'string' },
    Id: { type: 'string' },
    InvokedViaFunctionUrl: { type: 'boolean' },
  },
  additionalProperties: false,
  required: ['FunctionName', 'Action', 'Principal'],
  primaryIdentifier: ['/properties/FunctionName', '/properties/Id'],
  readOnlyProperties: ['/properties/Id'],
});

const ANSWERS: Readonly<Record<string, string>> = {
  GetCallerIdentity:
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/planner</Arn><UserId>AIDA</UserId><Account>123456789012</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>',
  DescribeType: `<DescribeTypeResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeTypeResult><Type>RESOURCE</Type><TypeName>AWS::Lambda::Permission</TypeName><Arn>arn:aws:cloudformation:eu-central-1::type/resource/AWS-Lambda-Permission</Arn><DeprecatedStatus>LIVE</DeprecatedStatus><Schema>${PERMISSION.replaceAll('"', '&quot;')}</Schema></DescribeTypeResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></DescribeTypeResponse>`,
};
