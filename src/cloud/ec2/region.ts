import { EC2Client } from '@aws-sdk/client-ec2';

/** The region that the SDK's own settings name (`AWS_REGION`, or the profile's); null where none does. */
export async function regionOfSdk(): Promise<string | null> {
  const client = new EC2Client({});
  try {
    return await client.config.region();
  } catch {
    // The SDK's way to say that there is none.
    return null;
  } finally {
    client.destroy();
  }
}
