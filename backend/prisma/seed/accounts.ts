import type { BuiltInRoleCode } from '../../src/config/permissions.ts';

/** Of every demo account that can sign in. It is public: the seed refuses to run in production. */
export const demoPassword = 'StudySpot-Demo-2026';

type AdminRoleCode = Exclude<BuiltInRoleCode, 'owner' | 'library_staff' | 'student' | 'parent'>;
export type PortalAdmin = { name: string; email: string; phone: string; role: AdminRoleCode };

const admin = (role: AdminRoleCode, name: string, phone: string): PortalAdmin => ({
  name,
  email: `${name.toLowerCase().replace(' ', '.')}@studyspot.example`,
  phone,
  role,
});

export const ashaMenon = admin('super_admin', 'Asha Menon', '+919845012701');
export const vikramRathore = admin('super_admin', 'Vikram Rathore', '+919829034512');
export const farhanQureshi = admin('operations', 'Farhan Qureshi', '+919811045623');
export const meeraIyengar = admin('finance', 'Meera Iyengar', '+919840056734');
export const kabirMalhotra = admin('support', 'Kabir Malhotra', '+919872067845');
export const nandiniGhosh = admin('support', 'Nandini Ghosh', '+919830078956');
export const devPatil = admin('sales', 'Dev Patil', '+919822089067');
export const leenaThomas = admin('auditor', 'Leena Thomas', '+919847090178');

/** The people of StudySpot itself. */
export const portalAdmins: readonly PortalAdmin[] = [
  ashaMenon,
  vikramRathore,
  farhanQureshi,
  meeraIyengar,
  kabirMalhotra,
  nandiniGhosh,
  devPatil,
  leenaThomas,
];

export type DemoAccount = { label: string; email: string; role: BuiltInRoleCode };

const account = (label: string, { email, role }: PortalAdmin): DemoAccount => ({ label, email, role });

/** What to try the product with: one account for each way of seeing it. All have `demoPassword`. */
export const demoAccounts: readonly DemoAccount[] = [
  account('Super admin', ashaMenon),
  account('Operations', farhanQureshi),
  account('Finance', meeraIyengar),
  account('Sales', devPatil),
  account('Support', kabirMalhotra),
  account('Read-only auditor', leenaThomas),
  { label: 'Owner of Saraswati Reading Hall, Kota', email: 'owner@saraswati-library.example', role: 'owner' },
  { label: 'Owner of Vidya Study Point, Prayagraj', email: 'owner@vidya-study-point.example', role: 'owner' },
];
