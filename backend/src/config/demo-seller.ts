import type { Environment } from './environment.ts';

/** Who invoices come from on a laptop, so that they can be looked at. In production somebody has to say it. */
const DEMO_SELLER = {
  name: 'StudySpot Technologies Private Limited',
  gstin: '27AAPFU0939F1ZV',
  addressLine: '4th Floor, Sahyadri House, Baner Road',
  city: 'Pune',
  pincode: '411045',
  email: 'billing@studyspot.example',
  vpa: 'studyspot@examplebank',
};

export const demoSeller =
  (field: keyof typeof DEMO_SELLER) =>
  ({ NODE_ENV }: Environment): string | undefined =>
    NODE_ENV === 'production' ? undefined : DEMO_SELLER[field];
