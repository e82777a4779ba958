//! Autonomous systems whose class is well known, and words in organisations' names that tell it.
//!
//! A class from these lists is a default for those who have no connection-type or anonymous-IP database; both come
//! before it. Numbers and names are those of the regional registries (ARIN, RIPE NCC, APNIC, LACNIC, AFRINIC), where
//! anyone can look them up; which operator sells what is from the operators' own pages. Each list is sorted by number.
//! An operator that sells both mobile and fixed access under one number is listed where most of its addresses are, or
//! not at all.

/// Clouds and hosting: machines live here, people do not. Sources: the providers' published address ranges
/// (AWS `ip-ranges.json`, Azure service tags, Google `cloud.json`) and registry entries.
pub(super) static HOSTING: [u32; 52] = [
    8075,    // Microsoft, Azure
    8100,    // QuadraNet
    8560,    // IONOS
    8987,    // Amazon, Europe
    9123,    // Timeweb
    12876,   // Scaleway
    14061,   // DigitalOcean
    14618,   // Amazon, us-east-1
    15169,   // Google
    16276,   // OVH
    16509,   // Amazon
    19527,   // Google
    19994,   // Rackspace
    20473,   // Vultr (The Constant Company)
    23470,   // ReliableSite
    24940,   // Hetzner
    26496,   // GoDaddy
    28753,   // Leaseweb, Germany
    29802,   // Hivelocity
    30633,   // Leaseweb, United States
    31898,   // Oracle Cloud
    33070,   // Rackspace
    35916,   // Multacom
    36351,   // IBM Cloud (SoftLayer)
    36352,   // ColoCrossing
    37963,   // Alibaba Cloud, China
    40021,   // Contabo, United States
    40676,   // Psychz
    44477,   // Stark Industries, PQ Hosting
    45090,   // Tencent Cloud, China
    45102,   // Alibaba Cloud
    46606,   // Unified Layer
    46844,   // Sharktech
    47583,   // Hostinger
    49505,   // Selectel
    49981,   // WorldStream
    51167,   // Contabo
    51852,   // Private Layer
    53667,   // FranTech (BuyVM)
    54825,   // Equinix Metal (Packet)
    55286,   // ServerMania
    60781,   // Leaseweb, Netherlands
    62240,   // Clouvider
    63949,   // Akamai Connected Cloud (Linode)
    132203,  // Tencent Cloud
    136907,  // Huawei Cloud
    197540,  // netcup
    200019,  // AlexHost
    200350,  // Yandex Cloud
    210644,  // Aeza
    213230,  // Hetzner Cloud
    396_982, // Google Cloud
];

/// Relays: VPN services, privacy relays, Tor operators, security gateways. The address says where the relay is, not
/// where the person is. Sources: Apple "About iCloud Private Relay" and its published egress ranges (Akamai, Cloudflare,
/// Fastly); Cloudflare WARP and Zscaler, Netskope, Umbrella documentation; registry entries of VPN operators.
pub(super) static RELAY: [u32; 22] = [
    9009,   // M247: carries many VPN services
    13335,  // Cloudflare: WARP, iCloud Private Relay
    20940,  // Akamai
    22616,  // Zscaler
    36183,  // Akamai: iCloud Private Relay
    36692,  // Cisco Umbrella
    39351,  // 31173 Services: Mullvad
    53813,  // Zscaler
    54113,  // Fastly: iCloud Private Relay
    55256,  // Netskope
    60068,  // Datacamp (CDN77): carries VPN services
    60729,  // Stiftung Erneuerbare Freiheit: Tor exits
    62044,  // Zscaler
    62371,  // Proton
    136787, // PacketHub: NordVPN
    137409, // GSL Networks: carries VPN services
    141039, // PacketHub: NordVPN
    147049, // PacketHub: NordVPN
    207137, // PacketHub: NordVPN
    208323, // Foundation for Applied Privacy: Tor exits
    209103, // Proton
    212238, // Datacamp: carries VPN services
];

/// Mobile carriers: addresses are shared and move about a country. Source: registry entries of networks named for
/// mobile service.
pub(super) static MOBILE: [u32; 34] = [
    4761,   // Indosat
    6167,   // Verizon Wireless
    8374,   // Polkomtel (Plus)
    9605,   // NTT DOCOMO
    9808,   // China Mobile
    12576,  // EE
    12912,  // T-Mobile Polska
    15897,  // Vodafone Türkiye
    16135,  // Turkcell
    20057,  // AT&T Mobility
    20978,  // TT Mobil
    21928,  // T-Mobile US
    22085,  // Claro Brasil
    22394,  // Verizon Wireless
    23693,  // Telkomsel
    24203,  // XL Axiata
    25135,  // Vodafone UK
    25255,  // Hutchison Drei Austria
    26615,  // TIM Brasil
    28403,  // Telcel
    29180,  // O2 UK
    29465,  // MTN Nigeria
    29975,  // Vodacom
    31133,  // MegaFon
    36935,  // Vodafone Egypt
    38266,  // Vodafone Idea
    39603,  // P4 (Play)
    44034,  // Hi3G Sweden
    45271,  // Vodafone Idea
    45609,  // Bharti Airtel mobility
    51207,  // Free Mobile
    55836,  // Reliance Jio
    60339,  // Three UK
    206067, // Three UK
];

/// Fixed access: homes and small offices. Source: registry entries of the large residential providers.
pub(super) static FIXED: [u32; 53] = [
    209,   // Lumen (CenturyLink)
    577,   // Bell Canada
    701,   // Verizon Fios
    719,   // Elisa
    812,   // Rogers
    852,   // Telus
    1136,  // KPN
    1221,  // Telstra
    2119,  // Telenor Norway
    2856,  // BT
    3209,  // Vodafone Germany
    3215,  // Orange France
    3269,  // Telecom Italia
    3292,  // TDC
    3301,  // Telia Sweden
    3303,  // Swisscom
    3320,  // Deutsche Telekom
    3352,  // Telefónica Spain
    3462,  // HiNet
    4134,  // China Telecom
    4713,  // NTT OCN
    4766,  // Korea Telecom
    4804,  // Optus
    4837,  // China Unicom
    5089,  // Virgin Media
    5410,  // Bouygues Telecom
    5432,  // Proximus
    5607,  // Sky UK
    5617,  // Orange Polska
    5650,  // Frontier
    5769,  // Videotron
    6327,  // Shaw
    6830,  // Liberty Global
    6848,  // Telenet
    7018,  // AT&T
    7922,  // Comcast
    8151,  // Telmex
    8447,  // A1 Telekom Austria
    8881,  // 1&1 Versatel
    9829,  // BSNL
    10796, // Charter
    11426, // Charter
    12271, // Charter
    12322, // Free
    12479, // Orange Spain
    13285, // TalkTalk
    15557, // SFR
    16591, // Google Fiber
    20001, // Charter
    20115, // Charter
    22773, // Cox
    28573, // Claro NET Brasil
    33915, // VodafoneZiggo
];

/// Beginnings of words in an organisation's name, in lower case.
pub(super) static RELAY_WORDS: [&str; 15] = [
    "akamai",
    "anonym",
    "cloudflare",
    "datacamp",
    "fastly",
    "m247",
    "mullvad",
    "netskope",
    "nordvpn",
    "packethub",
    "proton",
    "proxy",
    "surfshark",
    "vpn",
    "zscaler",
];

/// As above; hosters put their trade in their names.
pub(super) static HOSTING_WORDS: [&str; 26] = [
    "alibaba",
    "amazon",
    "aws",
    "azure",
    "cloud",
    "colo",
    "contabo",
    "datacenter",
    "datacentre",
    "dedicated",
    "digitalocean",
    "google",
    "hetzner",
    "hosting",
    "leaseweb",
    "linode",
    "microsoft",
    "oracle",
    "ovh",
    "rackspace",
    "scaleway",
    "server",
    "tencent",
    "vps",
    "vultr",
    "webhost",
];

/// As above; mobile service in the languages of large carriers.
pub(super) static MOBILE_WORDS: [&str; 8] = [
    "celco", "cellco", "cellular", "celular", "mobil", "movil", "telcel", "wireless",
];

/// As above; access by wire or fibre.
pub(super) static FIXED_WORDS: [&str; 8] = [
    "broadband",
    "cable",
    "dsl",
    "fiber",
    "fibra",
    "fibre",
    "ftth",
    "kabel",
];
