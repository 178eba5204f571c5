//! The texts that a phone translates itself.

/// Declares the labels: `Name = set code "English"`.
macro_rules! labels {
    ($( $name:ident = $set:ident $code:literal $english:literal, )*) => {
        /// A text that the phone shows in its own language. On the wire it is two bytes: 0x80 and a code
        /// (proven by captures), or 0x1E and a code (known from implementations only).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum DisplayLabel {
            $( #[doc = concat!("\"", $english, "\"")] $name, )*
        }

        impl DisplayLabel {
            /// All labels.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The text in English.
            pub const fn english(self) -> &'static str {
                match self {
                    $( Self::$name => $english, )*
                }
            }

            /// The set that it belongs to, and its code there.
            pub const fn code(self) -> (LabelSet, u8) {
                match self {
                    $( Self::$name => (LabelSet::$set, $code), )*
                }
            }

            /// The label of that set with that code.
            pub fn from_code(set: LabelSet, code: u8) -> Option<Self> {
                match (set, code) {
                    $( (LabelSet::$set, $code) => Some(Self::$name), )*
                    _ => None,
                }
            }
        }
    };
}

/// A set of labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LabelSet {
    /// `DisplayLabels_200`, after 0x80.
    Set200,
    /// `DisplayLabels_36`, after 0x1E.
    Set36,
}

impl LabelSet {
    /// The byte in front of the code.
    pub const fn escape(self) -> u8 {
        match self {
            Self::Set200 => 0x80,
            Self::Set36 => 0x1E,
        }
    }

    /// The set that a byte announces.
    pub const fn of_escape(byte: u8) -> Option<Self> {
        match byte {
            0x80 => Some(Self::Set200),
            0x1E => Some(Self::Set36),
            _ => None,
        }
    }
}

labels! {
    Redial = Set200 0x01 "Redial",
    NewCall = Set200 0x02 "NewCall",
    Hold = Set200 0x03 "Hold",
    Transfer = Set200 0x04 "Transfer",
    CFwdAll = Set200 0x05 "CFwdAll",
    CFwdBusy = Set200 0x06 "CFwdBusy",
    CFwdNoAnswer = Set200 0x07 "CFwdNoAnswer",
    BackSpace = Set200 0x08 "<<",
    EndCall = Set200 0x09 "EndCall",
    Resume = Set200 0x0A "Resume",
    Answer = Set200 0x0B "Answer",
    Info = Set200 0x0C "Info",
    Confrn = Set200 0x0D "Confrn",
    Park = Set200 0x0E "Park",
    Join = Set200 0x0F "Join",
    MeetMe = Set200 0x10 "MeetMe",
    PickUp = Set200 0x11 "PickUp",
    GPickUp = Set200 0x12 "GPickUp",
    YourCurrentOptions = Set200 0x13 "Your current options",
    OffHook = Set200 0x14 "Off hook",
    OnHook = Set200 0x15 "On hook",
    RingOut = Set200 0x16 "Ring out",
    From = Set200 0x17 "From ",
    Connected = Set200 0x18 "Connected",
    Busy = Set200 0x19 "Busy",
    LineInUse = Set200 0x1A "Line in use",
    CallWaiting = Set200 0x1B "Call waiting",
    CallTransfer = Set200 0x1C "Call transfer",
    CallPark = Set200 0x1D "Call park",
    CallProceed = Set200 0x1E "Call proceed",
    InUseRemote = Set200 0x1F "In use remote",
    EnterNumber = Set200 0x20 "Enter number",
    CallParkAt = Set200 0x21 "Call park at",
    PrimaryOnly = Set200 0x22 "Primary only",
    TempFail = Set200 0x23 "Temp fail",
    YouHaveVoicemail = Set200 0x24 "You have voicemail",
    ForwardedTo = Set200 0x25 "Forwarded to",
    CanNotCompleteConference = Set200 0x26 "Can not complete conference",
    NoConferenceBridge = Set200 0x27 "No conference bridge",
    CanNotHoldPrimaryControl = Set200 0x28 "Can not hold primary control",
    InvalidConferenceParticipant = Set200 0x29 "Invalid conference participant",
    InConferenceAlready = Set200 0x2A "In conference already",
    NoParticipantInfo = Set200 0x2B "No participant info",
    ExceedMaximumParties = Set200 0x2C "Exceed maximum parties",
    KeyIsNotActive = Set200 0x2D "Key is not active",
    ErrorNoLicense = Set200 0x2E "Error no license",
    ErrorDbConfig = Set200 0x2F "Error DB config",
    ErrorDatabase = Set200 0x30 "Error database",
    ErrorPassLimit = Set200 0x31 "Error pass limit",
    ErrorUnknown = Set200 0x32 "Error unknown",
    ErrorMismatch = Set200 0x33 "Error mismatch",
    Conference = Set200 0x34 "Conference",
    ParkNumber = Set200 0x35 "Park number",
    Private = Set200 0x36 "Private",
    NotEnoughBandwidth = Set200 0x37 "Not enough bandwidth",
    UnknownNumber = Set200 0x38 "Unknown number",
    RmLstC = Set200 0x39 "RmLstC",
    VoiceMail = Set200 0x3A "Voicemail",
    ImmDiv = Set200 0x3B "ImmDiv",
    Intrcpt = Set200 0x3C "Intrcpt",
    SetWtch = Set200 0x3D "SetWtch",
    TrnsfVm = Set200 0x3E "TrnsfVM",
    Dnd = Set200 0x3F "DND",
    DivAll = Set200 0x40 "DivAll",
    CallBack = Set200 0x41 "CallBack",
    NetworkCongestionRerouting = Set200 0x42 "Network congestion rerouting",
    Barge = Set200 0x43 "Barge",
    FailedToSetupBarge = Set200 0x44 "Failed to setup barge",
    AnotherBargeExists = Set200 0x45 "Another barge exists",
    IncompatibleDeviceType = Set200 0x46 "Incompatible device type",
    NoParkNumberAvailable = Set200 0x47 "No park number available",
    CallparkReversion = Set200 0x48 "Callpark reversion",
    ServiceIsNotActive = Set200 0x49 "Service is not active",
    HighTrafficTryAgainLater = Set200 0x4A "High traffic try again later",
    Qrt = Set200 0x4B "QRT",
    Mcid = Set200 0x4C "MCID",
    DirTrfr = Set200 0x4D "DirTrfr",
    Select = Set200 0x4E "Select",
    ConfList = Set200 0x4F "ConfList",
    IDivert = Set200 0x50 "iDivert",
    CBarge = Set200 0x51 "cBarge",
    CanNotCompleteTransfer = Set200 0x52 "Can not complete transfer",
    CanNotJoinCalls = Set200 0x53 "Can not join calls",
    McidSuccessful = Set200 0x54 "MCID successful",
    NumberNotConfigured = Set200 0x55 "Number not configured",
    SecurityError = Set200 0x56 "Security error",
    VideoBandwidthUnavailable = Set200 0x57 "Video bandwidth unavailable",
    VidMode = Set200 0x58 "VidMode",
    MaxCallDurationTimeout = Set200 0x59 "Max call duration timeout",
    MaxHoldDurationTimeout = Set200 0x5A "Max hold duration timeout",
    OPickUp = Set200 0x5B "OPickUp",
    HLog = Set200 0x5C "HLog",
    LoggedOutOfHuntGroup = Set200 0x5D "Logged out of hunt group",
    ParkSlotUnavailable = Set200 0x5E "Park slot unavailable",
    NoCallAvailableForPickup = Set200 0x5F "No call available for pickup",
    ExternalTransferRestricted = Set200 0x61 "External transfer restricted",
    NoLineAvailableForPickup = Set200 0x62 "No line available for pickup",
    PathReplacementInProgress = Set200 0x63 "Path replacement in progress",
    MacAddress = Set200 0x65 "MAC address",
    HostName = Set200 0x66 "Host name",
    DomainName = Set200 0x67 "Domain name",
    IpAddress = Set200 0x68 "IP address",
    SubnetMask = Set200 0x69 "Subnet mask",
    TftpServer1 = Set200 0x6A "TFTP server 1",
    DefaultRouter1 = Set200 0x6B "Default router 1",
    DefaultRouter2 = Set200 0x6C "Default router 2",
    DefaultRouter3 = Set200 0x6D "Default router 3",
    DefaultRouter4 = Set200 0x6E "Default router 4",
    DefaultRouter5 = Set200 0x6F "Default router 5",
    DnsServer1 = Set200 0x70 "DNS server 1",
    DnsServer2 = Set200 0x71 "DNS server 2",
    DnsServer3 = Set200 0x72 "DNS server 3",
    DnsServer4 = Set200 0x73 "DNS server 4",
    DnsServer5 = Set200 0x74 "DNS server 5",
    OperationalVlanId = Set200 0x75 "Operational VLAN ID",
    AdminVlanId = Set200 0x76 "Admin VLAN ID",
    CallManager1 = Set200 0x77 "CallManager 1",
    CallManager2 = Set200 0x78 "CallManager 2",
    CallManager3 = Set200 0x79 "CallManager 3",
    CallManager4 = Set200 0x7A "CallManager 4",
    CallManager5 = Set200 0x7B "CallManager 5",
    InformationUrl = Set200 0x7C "Information URL",
    DirectoriesUrl = Set200 0x7D "Directories URL",
    MessagesUrl = Set200 0x7E "Messages URL",
    ServicesUrl = Set200 0x7F "Services URL",
    Acct = Set36 0x02 "Acct",
    Flash = Set36 0x03 "Flash",
    Login = Set36 0x04 "Login",
    DeviceInHomeLocation = Set36 0x05 "Device in home location",
    DeviceInRoamingLocation = Set36 0x06 "Device in roaming location",
    EnterAuthorizationCode = Set36 0x07 "Enter authorization code",
    EnterClientMatterCode = Set36 0x08 "Enter client matter code",
    CallsAvailableForPickup = Set36 0x09 "Calls available for pickup",
    CmFallbackServiceOperating = Set36 0x0A "CM fallback service operating",
    MaxPhonesExceeded = Set36 0x0B "Max phones exceeded",
    WaitingToRehome = Set36 0x0C "Waiting to rehome",
    PleaseEndCall = Set36 0x0D "Please end call",
    Paging = Set36 0x0E "Paging",
    SelectLine = Set36 0x0F "Select line",
    TransferDestinationIsBusy = Set36 0x10 "Transfer destination is busy",
    SelectAService = Set36 0x11 "Select a service",
    LocalServices = Set36 0x12 "Local services",
    EnterSearchCriteria = Set36 0x13 "Enter search criteria",
    NightService = Set36 0x14 "Night service",
    NightServiceActive = Set36 0x15 "Night service active",
    NightServiceDisabled = Set36 0x16 "Night service disabled",
    LoginSuccessful = Set36 0x17 "Login successful",
    WrongPin = Set36 0x18 "Wrong PIN",
    PleaseEnterPin = Set36 0x19 "Please enter PIN",
    Of = Set36 0x1A "Of",
    Records1To = Set36 0x1B "Records 1 to",
    NoRecordFound = Set36 0x1C "No record found",
    SearchResults = Set36 0x1D "Search results",
    CallsInQueue = Set36 0x1E "Calls in queue",
    JoinToHuntGroup = Set36 0x1F "Join to hunt group",
    Ready = Set36 0x20 "Ready",
    NotReady = Set36 0x21 "Not ready",
    CallOnHold = Set36 0x22 "Call on hold",
    HoldReversion = Set36 0x23 "Hold reversion",
    SetupFailed = Set36 0x24 "Setup failed",
    NoResources = Set36 0x25 "No resources",
    DeviceNotAuthorized = Set36 0x26 "Device not authorized",
    Monitoring = Set36 0x27 "Monitoring",
    RecordingAwaitingCallToBeActive = Set36 0x28 "Recording awaiting call to be active",
    RecordingAlreadyInProgress = Set36 0x29 "Recording already in progress",
    InactiveRecordingSession = Set36 0x2A "Inactive recording session",
    Mobility = Set36 0x2B "Mobility",
    Whisper = Set36 0x2C "Whisper",
    ForwardAll = Set36 0x2D "Forward all",
    MaliciousCallId = Set36 0x2E "Malicious call ID",
    GroupPickup = Set36 0x2F "Group pickup",
    RemoveLastParticipant = Set36 0x30 "Remove last participant",
    OtherPickup = Set36 0x31 "Other pickup",
    Video = Set36 0x32 "Video",
    EndCall36 = Set36 0x33 "End call",
    ConferenceList = Set36 0x34 "Conference list",
    QualityReportingTool = Set36 0x35 "Quality reporting tool",
    HuntGroup = Set36 0x36 "Hunt group",
    UseLineOrJoinToComplete = Set36 0x37 "Use line or join to complete",
    DoNotDisturb = Set36 0x38 "Do not disturb",
    DoNotDisturbIsActive = Set36 0x39 "Do not disturb is active",
    CFwdAllLoopDetected = Set36 0x3A "CFwdAll loop detected",
    CFwdAllHopsExceeded = Set36 0x3B "CFwdAll hops exceeded",
    AbbrDial = Set36 0x3C "AbbrDial",
    PickupIsUnavailable = Set36 0x3D "Pickup is unavailable",
    ConferenceIsUnavailable = Set36 0x3E "Conference is unavailable",
    MeetMeIsUnavailable = Set36 0x3F "MeetMe is unavailable",
    CannotRetrieveParkedCall = Set36 0x40 "Cannot retrieve parked call",
    CannotSendCallToMobile = Set36 0x41 "Cannot send call to mobile",
    Record = Set36 0x43 "Record",
    CannotMoveConversation = Set36 0x44 "Cannot move conversation",
    CwOff = Set36 0x45 "CW off",
    Coaching = Set36 0x46 "Coaching",
    Recording = Set36 0x4F "Recording",
    RecordingFailed = Set36 0x50 "Recording failed",
    Connecting = Set36 0x51 "Connecting",
}
