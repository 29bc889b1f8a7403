import type { Random } from './deterministic.ts';

export type Region = 'north' | 'west' | 'south' | 'east';

/** In Latin script, and in Devanagari where people of the region write it. */
type Word = { latin: string; devanagari?: string };
type Pool = { given: Word[]; surnames: Word[] };

export type PersonName = {
  /** As the person writes it. */
  full: string;
  given: string;
  surname: Word;
};

/** About one in sixteen who could write their name in Devanagari does. */
const DEVANAGARI_SHARE = 1 / 16;

const words = (text: string): Word[] =>
  text.split(',').map((word) => {
    const [latin = '', devanagari] = word.trim().split(/\s+/);
    return { latin, devanagari };
  });

const northernSurnames = `Sharma शर्मा, Verma वर्मा, Gupta गुप्ता, Singh सिंह, Yadav यादव, Mishra मिश्रा, Tiwari तिवारी,
  Pandey पाण्डेय, Agarwal अग्रवाल, Chauhan चौहान, Rathore राठौड़, Meena मीणा, Choudhary चौधरी, Saxena सक्सेना,
  Srivastava श्रीवास्तव, Jain जैन, Khan ख़ान, Ansari अंसारी, Kumawat कुमावत, Shekhawat शेखावत, Dubey दुबे, Joshi जोशी,
  Saini सैनी, Kushwaha कुशवाहा, Rajput राजपूत, Bhatt भट्ट, Negi नेगी, Prajapati प्रजापति`;

const pools: Record<Region, Pool> = {
  north: {
    given: words(`Aarav आरव, Aditya आदित्य, Aman अमन, Ankit अंकित, Arjun अर्जुन, Ayush आयुष, Deepak दीपक, Harsh हर्ष,
      Imran इमरान, Karan करण, Manish मनीष, Mohit मोहित, Nikhil निखिल, Pankaj पंकज, Prakash प्रकाश, Rahul राहुल,
      Rohit रोहित, Sachin सचिन, Sandeep संदीप, Shubham शुभम, Sumit सुमित, Vikas विकास, Vivek विवेक, Yash यश,
      Ananya अनन्या, Anjali अंजलि, Bhavna भावना, Divya दिव्या, Jyoti ज्योति, Kajal काजल, Khushi ख़ुशी, Kavita कविता,
      Mansi मानसी, Megha मेघा, Muskan मुस्कान, Neha नेहा, Nisha निशा, Pooja पूजा, Priya प्रिया, Radha राधा, Ritu रितु,
      Sakshi साक्षी, Shivani शिवानी, Shreya श्रेया, Simran सिमरन, Sneha स्नेहा, Swati स्वाति, Zoya ज़ोया`),
    surnames: words(northernSurnames),
  },
  west: {
    given: words(`Aniket अनिकेत, Atharva अथर्व, Chinmay चिन्मय, Dhruv ध्रुव, Ganesh गणेश, Hrishikesh हृषीकेश, Jay जय,
      Kedar केदार, Mihir मिहिर, Nilesh नीलेश, Omkar ओंकार, Parth पार्थ, Prasad प्रसाद, Rohan रोहन, Sagar सागर,
      Sanket संकेत, Soham सोहम, Tejas तेजस, Tushar तुषार, Vedant वेदांत, Aarti आरती, Aishwarya ऐश्वर्या, Akshata अक्षता,
      Dhara धारा, Gauri गौरी, Hetal हेतल, Isha ईशा, Ketaki केतकी, Mrunal मृणाल, Mugdha मुग्धा, Nikita निकिता,
      Pallavi पल्लवी, Rutuja ऋतुजा, Sayali सायली, Shraddha श्रद्धा, Tanvi तन्वी, Vaishnavi वैष्णवी, Yogita योगिता`),
    surnames: words(`Patil पाटील, Deshmukh देशमुख, Kulkarni कुलकर्णी, Joshi जोशी, Pawar पवार, Shinde शिंदे, Jadhav जाधव,
      More मोरे, Gaikwad गायकवाड, Kale काळे, Bhosale भोसले, Chavan चव्हाण, Deshpande देशपांडे, Wagh वाघ, Thakur ठाकूर,
      Shaikh शेख, Kamble कांबळे, Patel पटेल, Shah शाह, Mehta मेहता, Desai देसाई, Trivedi त्रिवेदी, Solanki सोलंकी,
      Parmar परमार, Meshram मेश्राम, Ingle इंगळे`),
  },
  south: {
    given: words(`Abhishek, Ajay, Arun, Aravind, Bharath, Charan, Dinesh, Gokul, Harish, Karthik, Kiran, Kishore, Manoj,
      Naveen, Pranav, Praveen, Rakesh, Sai, Sanjay, Srinivas, Suresh, Varun, Vignesh, Vishnu, Ameena, Anitha, Aparna,
      Bhavani, Chaitra, Deepika, Divya, Gayathri, Harini, Keerthana, Lakshmi, Lavanya, Meenakshi, Nandini, Nithya,
      Padma, Pavithra, Ramya, Revathi, Sandhya, Sahana, Sowmya, Sruthi, Swathi, Vidya`),
    surnames: words(`Reddy, Rao, Naidu, Nair, Menon, Iyer, Iyengar, Pillai, Gowda, Hegde, Shetty, Bhat, Kumar, Murthy,
      Krishnan, Subramanian, Venkatesh, Ramesh, Chandran, Raju, Varma, Prasad, Babu, Thomas, Joseph, Mohammed, Kulkarni,
      Desai, Swamy, Rajan`),
  },
  east: {
    given:
      words(`Abhijit, Anirban, Arnab, Bikash, Debashis, Dipankar, Joydeep, Kaushik, Manas, Pradeep, Prasenjit, Rakesh,
      Ritwik, Sandip, Saurav, Shubhankar, Sourav, Subhash, Sujoy, Tapan, Ankita, Barsha, Bipasha, Debjani, Itishree,
      Jhuma, Madhumita, Mamata, Mousumi, Nandita, Oindrila, Payel, Priyanka, Rimjhim, Sanchita, Sharmistha, Sonali,
      Subhashree, Tanushree, Trisha`),
    surnames: words(`Banerjee, Mukherjee, Chatterjee, Ghosh, Das, Bose, Sen, Dutta, Roy, Saha, Mondal, Sarkar, Mohanty,
      Patnaik, Sahoo, Panda, Mishra, Nayak, Behera, Rout, Bora, Kalita, Baruah, Gogoi, Oraon, Munda, Mahato, Tudu,
      Kumar, Sinha, Prasad, Alam`),
  },
};

/** @param surname for somebody of a family; else one of the region */
export function pickName(random: Random, region: Region, surname = random.pick(pools[region].surnames)): PersonName {
  const given = random.pick(pools[region].given);
  const inDevanagari = random.chance(DEVANAGARI_SHARE) && given.devanagari && surname.devanagari;
  const full = inDevanagari ? `${given.devanagari} ${surname.devanagari}` : `${given.latin} ${surname.latin}`;
  return { full, given: given.latin, surname };
}

/** In each pool the names of women come after those of men: from this one on. */
const firstOfWomen: Record<Region, string> = { north: 'Ananya', west: 'Aarti', south: 'Ameena', east: 'Ankita' };

const namesOfWomen = new Set(
  (Object.keys(pools) as Region[]).flatMap((region) => {
    const { given } = pools[region];
    const women = given.slice(given.findIndex(({ latin }) => latin === firstOfWomen[region]));
    return women.flatMap(({ latin, devanagari }) => (devanagari ? [latin, devanagari] : [latin]));
  }),
);

/** @param full a name that `pickName` gave */
export const isWomansName = (full: string): boolean => namesOfWomen.has(full.split(' ')[0] ?? '');
