import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect } from 'vitest';
import { bucketName } from '../../src/cloud/ec2/bucket.js';
import { bucketContract } from '../contract/bucket-contract.js';
import { cloudContract } from '../contract/cloud-contract.js';
import { cloudAt } from '../support/ec2.js';
import { Moto } from '../support/moto.js';

let moto: Moto;

beforeAll(async () => {
  moto = await Moto.start();
}, 600_000);

afterAll(async () => {
  await moto?.stop();
});

cloudContract('EC2', async () => {
  await moto.reset();
  const cloud = cloudAt(moto.endpoint);
  // What moto prints on every console.
  return { cloud, userData: '#!/bin/sh\n', console: /Linux version/, close: async () => cloud.amazon.destroy() };
});

bucketContract('S3', async () => {
  await moto.reset();
  const cloud = cloudAt(moto.endpoint);
  return {
    bucket: cloud.bucket,
    read: async (url) => {
      // Nobody without credentials is told anything.
      expect((await fetch(url)).status).toBe(403);
      const [, Bucket, Key] = new URL(url).pathname.split('/');
      const { Body } = await cloud.amazon.s3.send(new GetObjectCommand({ Bucket, Key }));
      return (await Body?.transformToString()) ?? '';
    },
    litter: async (environment, name, text) => {
      await cloud.bucket.put(environment, 'first.json', { version: 1 });
      await cloud.bucket.remove(environment, 'first.json');
      await cloud.amazon.s3.send(new PutObjectCommand({ Bucket: bucketName(environment), Key: name, Body: text }));
    },
    close: async () => cloud.amazon.destroy(),
  };
});
