/// The role of a column of a table, or of a key of JSON objects.
public enum ColumnRole: String, Sendable, Hashable {
    /// The column of users.
    case user
    /// The column of items.
    case item
    /// The column of times.
    case time
    /// The column of ratings.
    case rating
    /// The column of titles.
    case title
    /// A column with a condition on its values.
    case condition
    /// The column of types of events.
    case type
    /// The column of identifiers of events.
    case eventID = "event id"
}

/// Columns that the caller names: by their names in the header, by their numbers from 1, or by the keys of JSON objects.
/// Those not named are found by usual names.
public struct ColumnNames: Sendable, Equatable {
    /// The column of users.
    public var user: String?
    /// The column of items.
    public var item: String?
    /// The column of times.
    public var timestamp: String?
    /// The column of ratings, read only where there is a rating threshold.
    public var rating: String?
    /// The column of types of events; nil: they are not read.
    package var type: String?
    /// The column of identifiers of events; nil: they are not read.
    package var eventID: String?

    /// No names: all columns are found by usual names.
    public init(user: String? = nil, item: String? = nil, timestamp: String? = nil, rating: String? = nil) {
        self.user = user
        self.item = item
        self.timestamp = timestamp
        self.rating = rating
    }

    var areGiven: Bool { user != nil || item != nil || timestamp != nil || rating != nil || !kept.isEmpty }

    /// The columns that are kept as they are, with an event each.
    var kept: [(ColumnRole, String)] {
        [(ColumnRole.type, type), (.eventID, eventID)].compactMap { role, name in name.map { (role, $0) } }
    }
}

/// Names that public data sets use, the best first, in lower case and without `_`, `-`, `.` and blanks.
enum UsualNames {
    static func of(_ role: ColumnRole) -> [String] {
        switch role {
        case .user: user
        case .item: item
        case .time: time
        case .rating: rating
        case .title: title
        case .condition, .type, .eventID: []
        }
    }

    /// The form in which names are compared: `User_ID`, `user id` and `userId` are equal.
    static func key(_ name: String) -> String { String(name.lowercased().filter { $0.isLetter || $0.isNumber }) }

    private static let user = words(
        """
        userid user users uid usr usrid username userno usernumber useridx userindex userhash userkey userguid useruuid \
        customerid customer customers custid cust customerno customernumber customerkey customercode clientid client \
        visitorid visitor fullvisitorid reviewerid reviewer memberid member membership accountid account buyerid buyer \
        shopperid shopper consumerid subscriberid subscriber personid person profileid playerid player steamid learnerid \
        learner studentid student viewerid viewer listenerid listener readerid reader patronid guestid authorid author \
        msno householdkey householdid household raterid criticid actorid anonymousid anonid deviceid device cookieid cookie \
        browserid sessionid session sessionkey usersession sess sid visitid basketid
        """)

    private static let item = words(
        """
        itemid item items iid itemno itemnumber itemidx itemindex itemcode itemkey movieid movie filmid film productid product \
        products productcode productno productkey prodid prod parentasin asin articleid article sku skuid skuno stockcode \
        goodsid goods isbn isbn13 bookid book trackid track trackname songid song businessid business venueid venue placeid \
        place poiid poi locationid restaurantid hotelid listingid propertyid newsid videoid video photoid imageid gameid \
        game appid app animeid mangaid recipeid recipe courseid course lessonid showid show episodeid podcastid streamid \
        channelid aid adid contentid content documentid document docid clickarticleid materialid merchandiseid upc ean gtin \
        partno partnumber offerid dealid couponid objectid entityid resourceid jobid vacancyid postid pinid repoid \
        questionid exerciseid problemid skillid artistid artist albumid album pid mid vid
        """)

    private static let time = words(
        """
        timestamp timestamps time ts unixtimestamp unixtime unixreviewtime epoch epochtime epochseconds epochms timestampms \
        timems tsms timestampmillis timestampmilliseconds timestamputc timestampsec timestampseconds utctimestamp utctime \
        timeutc datetime datetimeutc eventtimestamp eventtime eventdatetime eventat createdat createdtime createtime \
        createdatetime createdtimestamp creationtime creationtimestamp timestampcreated timecreated unixtimestampcreated \
        created createdon createdutc creationdate createddate createdate occurredat occurredon happenedat recordedat \
        recordtime reviewtime reviewtimestamp reviewdate reviewedat ratingtimestamp ratingtime ratingdate ratedat \
        purchasetimestamp orderpurchasetimestamp purchasetime purchasedatetime purchasedat purchasedate ordertimestamp \
        ordertime orderdatetime orderedat orderdate invoicedatetime invoicetime invoicedate transactiontimestamp \
        transactiontime transactiondatetime transactiondt transactiondate transdate tdat saletime saledate salesdate paidat \
        actiontimestamp actiontime actiondate clicktimestamp clicktime clickedat clickdate viewtimestamp viewtime viewedat \
        viewdate watchtimestamp watchedat watchdate playedat listenedat listentime scrobbletime readat visittimestamp visittime \
        visitedat visitdate checkintime checkintimestamp checkinat checkindate logtimestamp logtime logdate loggedat \
        requesttime servertimestamp servertime clienttime localtime submittedat submittime submitdate postedat posttime \
        postdate addedat dateadded addeddate insertedat ingestedat interactiontimestamp interactiontime interactiondate \
        interactedat startedat starttime updatedat updatedtime updatetime timestampupdated dateupdated lastupdated \
        lastmodified modifiedat when date dateutc day dt eventdate timeframe
        """)

    private static let rating = words(
        """
        rating ratings ratingvalue score stars star starrating overall bookrating movierating reviewrating reviewscore \
        userrating userscore reviewoverall myrating grade
        """)

    static let title = words(
        """
        title titles itemtitle itemname movietitle moviename producttitle productname productdisplayname prodname booktitle \
        bookname name names articletitle articlename newstitle headline tracktitle trackname songtitle songname albumtitle \
        albumname artistname gametitle gamename appname videotitle videoname showtitle coursename coursetitle recipename \
        venuename placename businessname restaurantname originaltitle fulltitle displayname englishname label caption \
        description productdescription itemdescription
        """)

    private static func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }
}
